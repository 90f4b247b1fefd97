package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rediskey"
)

// judgeKeys looks at all keys that the show left: each lies under the prefix of one
// area, on the server that the variables name for this area.
func (s *stage) judgeKeys(ctx context.Context) Verdict {
	var mu sync.Mutex // masters of a cluster are read at the same time
	found, astray := map[string]int{}, []string{}
	for _, server := range s.servers {
		err := server.each(ctx, s.namespace, func(_ context.Context, _ redis.Cmdable, key string) error {
			mu.Lock()
			defer mu.Unlock()
			var under []string
			for _, area := range server.areas {
				if _, _, ok := rediskey.Split(s.namespace, area, key); ok {
					under = append(under, area)
				}
			}
			if len(under) != 1 {
				astray = append(astray, key)
				return nil
			}
			found[under[0]]++
			return nil
		})
		if err != nil {
			return Verdict{Text: err.Error()}
		}
	}
	var cells, missing []string
	for _, server := range s.servers {
		for _, area := range server.areas {
			if found[area] == 0 && area != nodeArea { // those of nodeArea expire
				missing = append(missing, area)
			}
		}
	}
	for _, area := range slices.Sorted(maps.Keys(found)) {
		cells = append(cells, fmt.Sprintf("%s %d", area, found[area]))
	}
	text := strings.Join(cells, ", ") + fmt.Sprintf("; outside their area: %d", len(astray))
	if len(astray) > 0 {
		text += fmt.Sprintf(" %q", astray[:min(len(astray), 5)])
	}
	if len(missing) > 0 {
		text += "; no key of " + strings.Join(missing, ", ")
	}
	return Verdict{
		Kept: len(astray) == 0 && len(missing) == 0, Text: text,
		Figures: map[string]any{"areas": found, "astray": len(astray)},
	}
}
