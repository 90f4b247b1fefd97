// Package rawurl takes apart the URLs of servers. Unlike net/url it accepts a
// list of hosts, refuses what would silently mean another server, and never
// repeats its input in an error: the input may hold a password.
package rawurl

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Parts are the parts of scheme://user:password@hosts/path?query. Nothing but
// User holds a secret, unless the query has a parameter for one.
type Parts struct {
	Scheme string
	User   *url.Userinfo // nil without an @
	Hosts  []string      // at commas; empty without any
	Path   string        // decoded, with its first slash
	Query  url.Values
}

// Split takes raw apart.
func Split(raw string) (Parts, error) {
	if strings.ContainsFunc(raw, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return Parts{}, errors.New("it has a space or a control character")
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok || scheme == "" || strings.ContainsAny(scheme, ":/?#@") {
		return Parts{}, errors.New("it does not begin with scheme://; is a slash missing?")
	}
	authority, rest := cutBefore(rest, "/?#")
	path, query := cutBefore(rest, "?#")
	switch {
	case strings.Contains(rest, "#"):
		return Parts{}, errors.New("it has a #; write %23 for one in the password")
	case strings.Contains(rest, "@") && !strings.Contains(authority, "@"):
		return Parts{}, errors.New("it has an @ behind the host; write %2F, %3F, %40 for / ? @ in the password")
	}
	p := Parts{Scheme: strings.ToLower(scheme)}
	hosts := authority
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		user, err := userinfo(authority[:at])
		if err != nil {
			return Parts{}, err
		}
		p.User, hosts = user, authority[at+1:]
	}
	if hosts != "" {
		p.Hosts = strings.Split(hosts, ",")
	}
	var err error
	if p.Path, err = url.PathUnescape(path); err != nil {
		return Parts{}, errors.New("its path has a % that is not followed by two hexadecimal digits")
	}
	if p.Query, err = url.ParseQuery(strings.TrimPrefix(query, "?")); err != nil {
		return Parts{}, errors.New("its parameters are not of the form name=value&name=value")
	}
	return p, nil
}

// cutBefore cuts s before the first of chars.
func cutBefore(s, chars string) (before, after string) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func userinfo(s string) (*url.Userinfo, error) {
	name, password, ok := strings.Cut(s, ":")
	name, errName := url.PathUnescape(name)
	password, errPassword := url.PathUnescape(password)
	switch {
	case errName != nil || errPassword != nil:
		return nil, errors.New("its user or password has a % that is not followed by two hexadecimal digits; write %25 for %")
	case !ok:
		return nil, errors.New("it has a user without a password; write :password@ for a password alone")
	}
	return url.UserPassword(name, password), nil
}

// HostPort returns host with a port: its own or defaultPort.
func HostPort(host string, defaultPort int) (string, error) {
	name, port, err := net.SplitHostPort(host)
	if err != nil { // no port, or not a host either
		name, port = host, strconv.Itoa(defaultPort)
		inner, open := strings.CutPrefix(host, "[")
		inner, closed := strings.CutSuffix(inner, "]")
		if open && closed {
			name = inner
		}
		if strings.Contains(name, ":") != (open && closed) {
			return "", errors.New("a host is not of the form name:port, 127.0.0.1:port or [::1]:port")
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errors.New("a port is not a number between 1 and 65535; write %3A for : in the password")
	}
	if name == "" || strings.ContainsAny(name, "[]%@\\") {
		return "", errors.New("a host has no name")
	}
	return net.JoinHostPort(name, port), nil
}
