package cacheredis

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/script"
)

//go:embed bloom.lua
var bloomLua string

var _ cache.Bloom = (*Bloom)(nil)

// Bloom is a cache.Bloom in Redis: one string per filter, on any server. What a
// server with a Bloom module offers is not used.
type Bloom struct {
	structure
	script *script.Script
	shapes sync.Map // name → cache.BloomInfo, as last seen
}

// NewBloom returns a Bloom that borrows client. It does no I/O.
func NewBloom(client redis.UniversalClient, opts StructureOptions) (*Bloom, error) {
	s, err := newStructure(client, "bloom", opts)
	if err != nil {
		return nil, err
	}
	return &Bloom{structure: s, script: script.New(bloomLua)}, nil
}

// Layout of a filter: magic, capacity, rate, bits, hashes; then the bits.
const (
	bloomMagic  = "\xc1BF1"
	bloomHeader = 32
	// maxItems is how many items one script takes.
	maxItems = 1000
)

func headerOf(i cache.BloomInfo) string {
	b := append(make([]byte, 0, bloomHeader), bloomMagic...)
	b = binary.BigEndian.AppendUint64(b, i.Capacity)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(i.Rate))
	b = binary.BigEndian.AppendUint64(b, i.Bits)
	return string(binary.BigEndian.AppendUint32(b, uint32(i.Hashes)))
}

// infoOf reads a header; any other text, or a shape that its parameters do not
// have, is no filter.
func infoOf(header string) (cache.BloomInfo, error) {
	if len(header) != bloomHeader || header[:4] != bloomMagic {
		return cache.BloomInfo{}, cache.ErrNotReserved
	}
	b := []byte(header)
	capacity, rate := binary.BigEndian.Uint64(b[4:]), math.Float64frombits(binary.BigEndian.Uint64(b[12:]))
	info, err := cache.BloomShape(capacity, rate)
	if err != nil || headerOf(info) != header {
		return cache.BloomInfo{}, cache.ErrNotReserved
	}
	return info, nil
}

func sizeOf(i cache.BloomInfo) uint64 { return bloomHeader + i.Bits/8 }

// Reserve implements cache.Bloom.
func (b *Bloom) Reserve(ctx context.Context, name string, capacity uint64, rate float64) error {
	return opError("reserve", name, b.reserve(ctx, name, capacity, rate))
}

func (b *Bloom) reserve(ctx context.Context, name string, capacity uint64, rate float64) error {
	info, err := cache.BloomShape(capacity, rate)
	if err != nil {
		return err
	}
	key, err := b.key(name)
	if err != nil {
		return err
	}
	var there string
	err = b.write(ctx, func(ctx context.Context) (err error) {
		there, err = b.script.Run(ctx, b.client, []string{key}, "reserve", headerOf(info), sizeOf(info)).Text()
		return err
	})
	if err != nil {
		return err
	}
	if there != headerOf(info) {
		return cache.ErrMismatch
	}
	b.shapes.Store(name, info)
	return nil
}

// Add implements cache.Bloom. A repeated Add after an unknown outcome may call an
// item known that the first attempt added.
func (b *Bloom) Add(ctx context.Context, name string, items ...string) ([]bool, error) {
	missing, err := b.each(ctx, name, "add", items)
	return missing, opError("add", name, err)
}

// Exists implements cache.Bloom.
func (b *Bloom) Exists(ctx context.Context, name string, items ...string) ([]bool, error) {
	missing, err := b.each(ctx, name, "exists", items)
	for i := range missing {
		missing[i] = !missing[i]
	}
	return missing, opError("exists", name, err)
}

// each runs the script over items and reports of which a bit was missing.
func (b *Bloom) each(ctx context.Context, name, op string, items []string) ([]bool, error) {
	info, err := b.shape(ctx, name)
	if err != nil {
		return nil, err
	}
	missing := make([]bool, 0, len(items))
	for again := false; len(missing) < len(items); {
		row := items[len(missing):]
		row = row[:min(len(row), maxItems)]
		part, there, err := b.row(ctx, name, op, info, row)
		if err != nil {
			return nil, err
		}
		if part != nil {
			missing = append(missing, part...)
			continue
		}
		b.shapes.Delete(name)
		if info, err = infoOf(there); err != nil || again || len(missing) > 0 {
			return nil, cache.ErrNotReserved
		}
		again = true
		b.shapes.Store(name, info)
	}
	return missing, nil
}

// row is one script. A nil part means that there is the header of another filter.
func (b *Bloom) row(
	ctx context.Context, name, op string, info cache.BloomInfo, items []string,
) (part []bool, there string, err error) {
	key, err := b.key(name)
	if err != nil {
		return nil, "", err
	}
	args := make([]any, 0, 4+len(items)*info.Hashes)
	args = append(args, op, headerOf(info), sizeOf(info), info.Hashes)
	at := make([]uint64, 0, info.Hashes)
	for _, item := range items {
		for _, p := range info.Positions(at, item) {
			args = append(args, 8*bloomHeader+p)
		}
	}
	var reply any
	err = b.write(ctx, func(ctx context.Context) (err error) {
		reply, err = b.script.Run(ctx, b.client, []string{key}, args...).Result()
		return err
	})
	if err != nil {
		return nil, "", err
	}
	switch reply := reply.(type) {
	case string:
		return nil, reply, nil
	case []any:
		if len(reply) == len(items) {
			part = make([]bool, len(items))
			for i, v := range reply {
				part[i] = v == int64(1)
			}
			return part, "", nil
		}
	}
	return nil, "", errReply
}

// shape is what the filter looked like when this process last saw it.
func (b *Bloom) shape(ctx context.Context, name string) (cache.BloomInfo, error) {
	if info, ok := b.shapes.Load(name); ok {
		return info.(cache.BloomInfo), nil //nolint:forcetypeassert // nothing else is in it
	}
	info, err := b.info(ctx, name)
	if err == nil {
		b.shapes.Store(name, info)
	}
	return info, err
}

// Info implements cache.Bloom.
func (b *Bloom) Info(ctx context.Context, name string) (cache.BloomInfo, error) {
	info, err := b.info(ctx, name)
	return info, opError("info", name, err)
}

func (b *Bloom) info(ctx context.Context, name string) (cache.BloomInfo, error) {
	key, err := b.key(name)
	if err != nil {
		return cache.BloomInfo{}, err
	}
	var header string
	var size int64
	err = b.read(ctx, func(ctx context.Context) error {
		p := b.client.Pipeline()
		h, n := p.GetRange(ctx, key, 0, bloomHeader-1), p.StrLen(ctx, key)
		_, err := p.Exec(ctx)
		header, size = h.Val(), n.Val()
		return err
	})
	if err != nil {
		return cache.BloomInfo{}, err
	}
	info, err := infoOf(header)
	if err == nil && uint64(size) != sizeOf(info) {
		err = cache.ErrNotReserved
	}
	return info, err
}

// Drop implements cache.Bloom.
func (b *Bloom) Drop(ctx context.Context, name string) (bool, error) {
	n, err := b.drop(ctx, name)
	b.shapes.Delete(name)
	return n > 0, opError("drop", name, err)
}

// opError names the operation once.
func opError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*cache.OpError](err); ok {
		return err
	}
	return &cache.OpError{Op: op, Name: name, Err: err}
}

func tooLong(name string) error {
	return fmt.Errorf("name of %d bytes: %w", len(name), cache.ErrTooLarge)
}
