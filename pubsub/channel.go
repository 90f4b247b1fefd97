package pubsub

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxChannel is the length in bytes of the longest channel or pattern.
const MaxChannel = 256

// checkChannel reports why channel cannot be published to, or nil.
func checkChannel(channel string) error {
	if err := checkWords(channel); err != nil {
		return err
	}
	if strings.ContainsAny(channel, "*>") {
		return fmt.Errorf("%w: %q has a wildcard", ErrInvalidChannel, channel)
	}
	return nil
}

// checkWords reports why s is not words with dots between, or nil.
func checkWords(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%w: it is empty", ErrInvalidChannel)
	case len(s) > MaxChannel:
		return fmt.Errorf("%w: it has %d bytes, want at most %d", ErrInvalidChannel, len(s), MaxChannel)
	case !utf8.ValidString(s):
		return fmt.Errorf("%w: %q is not UTF-8", ErrInvalidChannel, s)
	}
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return fmt.Errorf("%w: %q has %q", ErrInvalidChannel, s, r)
		}
	}
	for word := range strings.SplitSeq(s, ".") {
		if word == "" {
			return fmt.Errorf("%w: %q has an empty word", ErrInvalidChannel, s)
		}
	}
	return nil
}

// pattern is what a subscription matches channels with.
type pattern struct {
	text  string
	words []string // nil if text is a plain channel
	rest  bool     // the last word was ">": one or more words follow
}

func parsePattern(text string) (pattern, error) {
	if err := checkWords(text); err != nil {
		return pattern{}, err
	}
	p := pattern{text: text}
	if !strings.ContainsAny(text, "*>") {
		return p, nil
	}
	words := strings.Split(text, ".")
	for i, word := range words {
		switch {
		case word == "*":
		case word == ">" && i == len(words)-1:
			p.rest = true
			words = words[:i]
		case strings.ContainsAny(word, "*>"):
			return pattern{}, fmt.Errorf(`%w: %q: "*" stands for a whole word, ">" for all words at the end`, ErrInvalidChannel, text)
		}
	}
	p.words = words
	return p, nil
}

// plain reports whether the pattern is a channel.
func (p *pattern) plain() bool { return p.words == nil && !p.rest }

func (p *pattern) match(channel string) bool {
	if p.plain() {
		return channel == p.text
	}
	more := true
	for _, word := range p.words {
		if !more {
			return false
		}
		var have string
		have, channel, more = strings.Cut(channel, ".")
		if word != "*" && word != have {
			return false
		}
	}
	return more == p.rest
}
