package testenv_test

import (
	"crypto/tls"
	"io"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestRedisTLS(t *testing.T) {
	files := testenv.NewCertificates(t)
	for _, mutual := range []bool{false, true} {
		s := testenv.RedisTLS(t, files, mutual)
		for _, shown := range []bool{false, true} {
			c := redis.NewClient(&redis.Options{Addr: s.TLSAddr(), TLSConfig: files.Config(t, shown), MaxRetries: -1})
			err := c.Ping(t.Context()).Err()
			if want := shown || !mutual; (err == nil) != want {
				t.Errorf("certificate asked for %t, shown %t: %v", mutual, shown, err)
			}
			_ = c.Close()
		}
	}
}

func TestRabbitTLS(t *testing.T) {
	files := testenv.NewCertificates(t)
	r := testenv.RabbitTLS(t, files, true)
	for _, shown := range []bool{false, true} {
		conn, err := tls.Dial("tcp", r.TLSAddr(), files.Config(t, shown))
		if err == nil {
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err = io.WriteString(conn, "AMQP\x00\x00\x09\x01"); err == nil {
				_, err = conn.Read(make([]byte, 1)) // a refusal of the certificate comes late
			}
			_ = conn.Close()
		}
		if (err == nil) != shown {
			t.Errorf("certificate shown %t: %v", shown, err)
		}
	}
}
