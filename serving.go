package cohort

import (
	"errors"
	"slices"
	"strings"
)

// Serving says what a node takes on: requests of users, and the tasks of which
// topics. The zero value takes on nothing. It is immutable.
type Serving struct {
	requests bool
	every    bool
	topics   []string
}

// The entries of WORKER_MODE that are no topic.
const (
	servesRequests = "!"
	servesEvery    = "*"
	servesNothing  = "-"
)

// ParseServing reads the form of WORKER_MODE, entries separated by commas:
//
//	(empty)   requests and all tasks
//	!         requests
//	*         all tasks
//	mail,pdf  the tasks of these topics
//	!,mail    requests and the tasks of mail; likewise !,*
//	-         nothing; stands alone
//
// Spaces around an entry do not count. An empty entry is an error, as is "-"
// beside another.
func ParseServing(mode string) (Serving, error) {
	if strings.TrimSpace(mode) == "" {
		return Serving{requests: true, every: true}, nil
	}
	var s Serving
	entries := strings.Split(mode, ",")
	for _, e := range entries {
		switch e = strings.TrimSpace(e); e {
		case "":
			return Serving{}, errors.New("has an empty entry; write topics as a,b")
		case servesNothing:
			if len(entries) > 1 {
				return Serving{}, errors.New("has - (serve nothing) beside other entries; - must stand alone")
			}
		case servesRequests:
			s.requests = true
		case servesEvery:
			s.every = true
		default:
			s.topics = append(s.topics, e)
		}
	}
	slices.Sort(s.topics)
	s.topics = slices.Compact(s.topics)
	return s, nil
}

// Requests reports whether the node answers requests of users.
func (s Serving) Requests() bool { return s.requests }

// Topic reports whether the node works on the tasks of topic.
func (s Serving) Topic(topic string) bool {
	_, found := slices.BinarySearch(s.topics, topic)
	return s.every || found
}

// String returns the shortest form that ParseServing reads as s.
func (s Serving) String() string {
	var entries []string
	if s.requests {
		entries = append(entries, servesRequests)
	}
	if s.every {
		entries = append(entries, servesEvery)
	} else {
		entries = append(entries, s.topics...)
	}
	if len(entries) == 0 {
		return servesNothing
	}
	return strings.Join(entries, ",")
}
