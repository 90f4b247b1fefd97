package cache

import (
	"context"
	"iter"
	"time"
)

// Store is the tier of bytes that nodes share. A key is any text of 1 to
// [MaxKey] bytes. All methods are safe for concurrent use, honour ctx, and
// report ErrUnavailable, ErrUncertain and ErrClosed as those say.
//
// A Store may also be a [Feed] source, a [Leaser], a [TagInvalidator], a
// [Lister], a [Toucher]; a [Cache] uses what it finds.
type Store interface {
	// Get returns the entry of key, stale ones included, or ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)
	// GetMany returns the entries that exist.
	GetMany(ctx context.Context, keys []string) (map[string]Entry, error)
	// Set writes the values of all writes; each is atomic, all together are not.
	// The Versions stand in the order of the writes; a zero Version marks a
	// write whose condition did not hold.
	Set(ctx context.Context, writes ...Write) ([]Version, error)
	// Delete removes keys and the right of running loads to store them. It
	// returns how many had an entry.
	Delete(ctx context.Context, keys ...string) (int, error)
	// Close ends what the Store runs. Later calls report ErrClosed; a second
	// Close returns nil.
	Close(ctx context.Context) error
}

// MaxKey is the length in bytes of the longest key of a Store.
const MaxKey = 512

// Forever, as a TTL, means that an entry does not expire.
const Forever time.Duration = 1<<63 - 1

// Write is one value to store.
type Write struct {
	Key   string
	Value []byte
	WriteOptions
}

// WriteOptions say how a value is stored.
type WriteOptions struct {
	// TTL is how long the value is fresh: at least a millisecond, or Forever.
	TTL time.Duration
	// Stale is how much longer it stays readable as a stale one. Default 0.
	Stale time.Duration
	// Tags are names under which the entry can be invalidated.
	Tags []string
	// Format names the encoding of Value. At most 31 bytes.
	Format string
	// Absent marks an entry that says that there is no value.
	Absent bool
	// OnlyIfAbsent stores only where there is no fresh entry.
	OnlyIfAbsent bool
	// IfVersion, unless zero, stores only over the entry of that Version.
	IfVersion Version
	// Keep takes times and tags from the entry that IfVersion names.
	Keep bool
}

// Entry is what a Store keeps under a key. Its bytes must not be changed.
type Entry struct {
	Value   []byte
	Version Version
	// Age is the time since the entry was written.
	Age time.Duration
	// TTL is the time for which the entry is still fresh. It is Forever, or
	// zero or less for a stale entry.
	TTL time.Duration
	// Life is the time until the entry is gone, at least TTL.
	Life   time.Duration
	Tags   []string
	Format string
	Absent bool
}

// Fresh reports whether the entry has not expired.
func (e *Entry) Fresh() bool { return e.TTL > 0 }

// Fed is a Store that reports changes of its entries. Only such a Store gets an
// in-process tier: nothing would keep the copies of another one in step.
type Fed interface {
	Feed() *Feed
}

// Leaser is a Store that lets one node load a key while the others wait.
type Leaser interface {
	// Acquire reads keys and takes the load lease of each that has no fresh
	// entry, or of each at all if force is set, and is not leased yet. A lease
	// ends after ttl, with Fill or Release, and when its key is written or deleted;
	// after an invalidation of a tag its Fill is refused, and it ends with that.
	// Grants stand in the order of keys.
	Acquire(ctx context.Context, ttl time.Duration, force bool, keys ...string) ([]Grant, error)
	// Fill writes loaded values whose leases still hold. A zero Version marks
	// one that was refused: the value may be older than an invalidation.
	Fill(ctx context.Context, fills ...Fill) ([]Version, error)
	// Release ends leases without a value and wakes those who wait.
	Release(ctx context.Context, leases ...Lease) error
}

// Lease is the right to store the value that is being loaded for Key.
type Lease struct {
	Key string
	// Token is what the Store compares; "" is no lease.
	Token string
}

// Grant is the answer of Acquire for one key.
type Grant struct {
	// Entry is what the Store has, stale ones included; Found says whether it
	// has any.
	Entry Entry
	Found bool
	// Lease has a Token if it was granted.
	Lease Lease
	// Busy is how long the lease of another one lasts at most, where that is why
	// none was granted.
	Busy time.Duration
}

// Fill is a loaded value and the lease under which it was loaded.
type Fill struct {
	Lease Lease
	Write
}

// TagInvalidator is a Store that can make all entries of a tag unreadable.
type TagInvalidator interface {
	// InvalidateTags returns once every entry that carries one of tags is gone
	// for readers of the Store, and no running load can store one.
	InvalidateTags(ctx context.Context, tags ...string) error
}

// Lister is a Store that can list and remove keys by their beginning.
type Lister interface {
	// Keys yields each key that begins with prefix and has a fresh value, in no
	// order. Keys that come or go meanwhile may or may not be among them.
	Keys(ctx context.Context, prefix string) iter.Seq2[string, error]
	// Purge frees the memory of entries whose key begins with prefix and that
	// are no longer readable, bit by bit, until done or ctx ends.
	Purge(ctx context.Context, prefix string) error
}

// Toucher is a Store that can change when an entry expires.
type Toucher interface {
	// Touch lets the entry of key be fresh for ttl from now, and stale after that
	// for as long as it would have been; one that was fresh for ever had no end to
	// be stale after. It reports whether there was an entry, stale ones included.
	Touch(ctx context.Context, key string, ttl time.Duration) (bool, error)
}
