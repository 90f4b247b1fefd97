package redisurl

import (
	"errors"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rawurl"
)

// Ports that a host without one has.
const (
	redisPort    = 6379
	sentinelPort = 26379
)

func setHosts(opt *redis.UniversalOptions, topology topology, parts rawurl.Parts) error {
	switch {
	case topology == socket && len(parts.Hosts) > 0:
		return errors.New("a socket has no host; write three slashes, unix:///path")
	case topology == socket && strings.Trim(parts.Path, "/") == "":
		return errors.New("it has no path of a socket")
	case topology == socket:
		opt.Addrs = []string{parts.Path}
		return nil
	case len(parts.Hosts) == 0:
		return errors.New("it has no host")
	case len(parts.Hosts) > 1 && topology == single:
		return errors.New("it has several hosts; the schemes redis-sentinel and redis-cluster take a list")
	}
	port := redisPort
	if topology == sentinel {
		port = sentinelPort
	}
	for _, host := range parts.Hosts {
		addr, err := rawurl.HostPort(host, port)
		if err != nil {
			return err
		}
		opt.Addrs = append(opt.Addrs, addr)
	}
	return nil
}

// setDB takes the database from the path, or from the parameter db. The path of
// a socket is no database.
func setDB(opt *redis.UniversalOptions, topology topology, parts rawurl.Parts) error {
	inPath := strings.TrimPrefix(parts.Path, "/")
	if topology == socket {
		inPath = ""
	}
	inQuery := parts.Query.Get("db")
	switch {
	case topology == cluster && (inPath != "" || inQuery != ""):
		return errors.New("a cluster has only one database; leave it out, and keep data apart by a namespace")
	case inPath != "" && inQuery != "":
		return errors.New("it names a database twice, in its path and as db")
	}
	db := inPath + inQuery
	if db == "" {
		return nil
	}
	n, err := strconv.ParseUint(db, 10, 31)
	if err != nil {
		return errors.New("its database is not a number of 0 or more; are the slashes right (redis://host:port/0)?")
	}
	opt.DB = int(n)
	return nil
}
