package rediskey

import (
	"fmt"
	"strings"
)

// DefaultNamespace is the namespace that an empty one stands for.
const DefaultNamespace = "cohort"

// MaxNamespace is the length in bytes of the longest namespace.
const MaxNamespace = 64

// Namespace reports why ns must not prefix keys, or nil. It may be empty, which
// means DefaultNamespace; its characters are letters, digits, dot, underscore
// and hyphen.
func Namespace(ns string) error {
	if len(ns) > MaxNamespace {
		return fmt.Errorf("namespace is longer than %d bytes", MaxNamespace)
	}
	for _, r := range ns {
		if !allowed(r) {
			return fmt.Errorf("namespace has %q, want letters, digits, dot, underscore, hyphen", r)
		}
	}
	return nil
}

func allowed(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		r == '.' || r == '_' || r == '-'
}

// Join returns the key "namespace:area:{encoded}:part", without the last colon
// if part is empty. The namespace was checked with Namespace and encoded comes
// from Encode; area and part are the program's own words without braces. All
// keys of one encoded name share a hash slot.
func Join(namespace, area, encoded, part string) string {
	key := Prefix(namespace, area) + "{" + encoded + "}"
	if part != "" {
		key += ":" + part
	}
	return key
}

// Prefix returns "namespace:area:", with which every key of an area begins.
func Prefix(namespace, area string) string {
	if namespace == "" {
		namespace = DefaultNamespace
	}
	return namespace + ":" + area + ":"
}

// Split undoes Join for a key of the namespace and area: the encoded name and
// the part. Any other key is reported as not ok.
func Split(namespace, area, key string) (encoded, part string, ok bool) {
	rest, ok := strings.CutPrefix(key, Prefix(namespace, area)+"{")
	if !ok {
		return "", "", false
	}
	encoded, part, ok = strings.Cut(rest, "}")
	if !ok || encoded == "" {
		return "", "", false
	}
	if part == "" {
		return encoded, "", true
	}
	part, ok = strings.CutPrefix(part, ":")
	return encoded, part, ok && part != ""
}
