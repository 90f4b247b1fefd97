// Package amqpurl checks the URLs that name a RabbitMQ.
//
//	amqp://[user:password@]host[:5672][/vhost][?parameters]
//	amqps://[user:password@]host[:5671][/vhost][?parameters]
//
// The parameters are those of RabbitMQ's own clients: heartbeat (seconds),
// connection_timeout (milliseconds), channel_max, auth_mechanism, and with
// amqps cacertfile, certfile, keyfile and server_name_indication. Without
// credentials the user is guest, without a vhost it is "/".
//
// Whatever is malformed is an error, because clients take it for localhost. No
// error and no form of a Target holds a secret.
package amqpurl

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cohort-go/cohort/internal/rawurl"
)

// Target is a RabbitMQ that can be connected to. What it holds of the URL's
// secrets is out of reach of fmt and encoding/json.
type Target struct {
	text   string
	reveal func() string
}

// ports are those of a URL without one, by scheme.
var ports = map[string]int{"amqp": 5672, "amqps": 5671}

// parameters are what a client understands: the largest value of a number, or
// one of the two kinds of text.
var parameters = map[string]int{
	"heartbeat":              1<<16 - 1,
	"connection_timeout":     1<<31 - 1,
	"channel_max":            1<<16 - 1,
	"auth_mechanism":         word,
	"cacertfile":             secureWord,
	"certfile":               secureWord,
	"keyfile":                secureWord,
	"server_name_indication": secureWord,
}

const (
	word       = -1
	secureWord = -2 // makes sense with amqps only
)

// Parse returns what raw names, or an error that lists what is wrong with it.
// It connects to nothing.
func Parse(raw string) (*Target, error) {
	parts, err := rawurl.Split(raw)
	if err != nil {
		return nil, fmt.Errorf("AMQP URL: %w", err)
	}
	port, ok := ports[parts.Scheme]
	if !ok {
		return nil, errors.New("AMQP URL: its scheme is neither amqp nor amqps")
	}
	var problems []string
	addr := ""
	switch len(parts.Hosts) {
	case 0:
		problems = append(problems, "it has no host")
	case 1:
		if addr, err = rawurl.HostPort(parts.Hosts[0], port); err != nil {
			problems = append(problems, err.Error())
		}
	default:
		problems = append(problems, "it has several hosts")
	}
	problems = append(problems, checkParameters(parts)...)
	if len(problems) > 0 {
		return nil, errors.New("AMQP URL: " + strings.Join(problems, "; "))
	}
	vhost := strings.TrimPrefix(parts.Path, "/")
	u := url.URL{Scheme: parts.Scheme, Host: addr, Path: "/" + vhost, RawPath: "/" + url.PathEscape(vhost)}
	text := u.String()
	u.User, u.RawQuery = parts.User, parts.Query.Encode()
	return &Target{text: text, reveal: u.String}, nil
}

func checkParameters(parts rawurl.Parts) (problems []string) {
	unknown := 0
	for _, name := range slices.Sorted(maps.Keys(parts.Query)) {
		values := parts.Query[name]
		largest, known := parameters[name]
		switch {
		case !known:
			unknown++
		case len(values) > 1 && name != "auth_mechanism":
			problems = append(problems, name+" is given twice")
		case values[0] == "":
			problems = append(problems, name+" is empty")
		case largest == secureWord && parts.Scheme != "amqps":
			problems = append(problems, name+" needs TLS; write amqps for amqp")
		case largest >= 0 && !isNumber(values[0], largest):
			problems = append(problems, fmt.Sprintf("%s must be a number between 0 and %d", name, largest))
		}
	}
	if unknown > 0 { // its name may be what follows a ? in a password
		problems = append(problems, fmt.Sprintf("it has %d unknown parameters; known are %s",
			unknown, strings.Join(slices.Sorted(maps.Keys(parameters)), ", ")))
	}
	return problems
}

func isNumber(s string, largest int) bool {
	n, err := strconv.ParseUint(s, 10, 31)
	return err == nil && n <= uint64(largest)
}

// Reveal returns the whole URL, password included: for the client's dialer and
// nothing else.
func (t *Target) Reveal() string { return t.reveal() }

// String is the URL without credentials and parameters.
func (t *Target) String() string { return t.text }
