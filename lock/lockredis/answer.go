package lockredis

import (
	"fmt"

	"github.com/redis/go-redis/v9"
)

// An answer is what a script says: one number alone, or a list of them.
type answer struct {
	alone  bool
	values [4]int64
}

// at returns the i-th number; what the script left out is 0.
func (a *answer) at(i int) int64 { return a.values[i] }

// answerOf reads the answer of a script and refuses what no script says.
func answerOf(cmd *redis.Cmd) (a answer, err error) {
	value, err := cmd.Result()
	if err != nil {
		return a, err
	}
	switch v := value.(type) {
	case int64:
		a.alone, a.values[0] = true, v
		return a, nil
	case []any:
		ok := len(v) > 0 && len(v) <= len(a.values)
		for i := 0; ok && i < len(v); i++ {
			a.values[i], ok = v[i].(int64)
		}
		if ok && (a.values[0] != 0 || len(v) != 2) {
			return a, nil
		}
	}
	return a, fmt.Errorf("unexpected answer %v", value)
}
