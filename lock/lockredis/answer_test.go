package lockredis

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		value any
		ok    bool
	}{
		{int64(7), true},
		{[]any{int64(1), int64(7), int64(0)}, true},
		{[]any{int64(0), int64(1), int64(2), int64(3)}, true},
		{[]any{int64(0)}, true},
		{[]any{int64(0), int64(1)}, false},
		{[]any{}, false},
		{[]any{int64(1), int64(2), int64(3), int64(4), int64(5)}, false},
		{[]any{"1"}, false},
		{"OK", false},
		{nil, false},
	} {
		cmd := redis.NewCmd(context.Background())
		cmd.SetVal(tt.value)
		if a, err := answerOf(cmd); (err == nil) != tt.ok {
			t.Errorf("%v: %+v, %v", tt.value, a, err)
		}
	}
}
