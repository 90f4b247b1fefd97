package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/cohort-go/cohort/internal/testenv"
)

// servePage serves the page of a cluster and returns its address.
func servePage(t *testing.T, c *clusterAt, o options) (base string) {
	t.Helper()
	o.limit = 50
	src, err := open(t.Context(), c.env, o)
	check(t, err)
	s := newServer(src, o)
	s.history.tracks["mails"] = &track{samples: busyDay()}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() {
		if err := s.serve(ctx, listener); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		stop()
		served.Wait()
		src.close()
	})
	return "http://" + listener.Addr().String()
}

// busyDay are samples of a queue that falls behind and catches up.
func busyDay() (list []sample) {
	for i := range maxSamples - 20 {
		wave := math.Sin(float64(i) / 21)
		list = append(list, sample{ready: max(0, int(60*wave)+6*(i%3)), inFlight: 8 + i%5, dead: i / 45})
	}
	return list
}

// browser starts Chromium and returns the context of a tab.
func browser(t *testing.T) context.Context {
	t.Helper()
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(testenv.Tool(t, "chromium", "chromium")), chromedp.NoSandbox, chromedp.DisableGPU)...)
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	check(t, chromedp.Do(tab)) // starts it, without a deadline of its own
	ctx, cancel := context.WithTimeout(tab, patient)
	t.Cleanup(cancel)
	return ctx
}

func TestPage(t *testing.T) {
	c := startCluster(t)
	base := servePage(t, c, options{write: true})
	tab := browser(t)
	check(t, chromedp.Do(tab, untilSampled(base)))
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1280} {
			t.Run(fmt.Sprintf("%s %d", scheme, width), func(t *testing.T) {
				check(t, chromedp.Do(tab, media(scheme), chromedp.EmulateViewport(width, 900), chromedp.Navigate(base),
					chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details').forEach((d, i) => d.open = i == 0)`)))
				wide, err := chromedp.Run(tab, chromedp.Evaluate[[]string](tooWide))
				check(t, err)
				if len(wide) > 0 {
					t.Errorf("wider than the window: %q", wide)
				}
				texts, err := chromedp.Run(tab, chromedp.Evaluate[[]contrast](contrasts))
				check(t, err)
				if len(texts) < 100 {
					t.Errorf("only %d texts were measured", len(texts))
				}
				for _, text := range texts {
					if text.Ratio < 4.5 {
						t.Errorf("contrast %.2f of %q (%s on %s)", text.Ratio, text.Text, text.Color, text.Ground)
					}
				}
				shoot(t, tab, fmt.Sprintf("%s-%d.png", scheme, width))
			})
		}
	}
}

// untilSampled loads the page until the plots have a line.
func untilSampled(base string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for {
			if err := chromedp.Do(ctx, chromedp.Navigate(base)); err != nil {
				return err
			}
			n, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll('path.ready').length`))
			if err != nil || n > 0 {
				return err
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}

func media(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// shoot keeps a picture of the whole page where COHORT_TEST_SCREENSHOTS says.
func shoot(t *testing.T, tab context.Context, name string) {
	t.Helper()
	dir := os.Getenv("COHORT_TEST_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, name), picture, 0o600))
}

// A button redrives, and the page says so.
func TestRedrive(t *testing.T) {
	c := startCluster(t)
	base := servePage(t, c, options{write: true})
	tab := browser(t)
	check(t, chromedp.Do(tab, untilSampled(base), chromedp.Click(chromedp.CSS(`td form[action="/redrive"] button`)),
		chromedp.WaitVisible(chromedp.CSS(`.notice`))))
	said, err := chromedp.Run(tab, chromedp.Text(chromedp.CSS(`.notice`)))
	check(t, err)
	if st := c.stats(t, "mails"); st.Dead != 2 || st.Redriven != 1 || said != "mails: 1 message is ready again" {
		t.Errorf("page says %q, the queue %+v", said, st)
	}
	check(t, chromedp.Do(tab, chromedp.Click(chromedp.CSS(`.group form[action="/redrive"] button`)),
		chromedp.WaitNotPresent(chromedp.CSS(`form[action="/redrive"]`))))
	if st := c.stats(t, "mails"); st.Dead != 0 || st.Redriven != 3 {
		t.Errorf("after all: %+v", st)
	}
}

// Without -write there is no button, and a request by hand is refused.
func TestReadOnly(t *testing.T) {
	c := startCluster(t)
	base := servePage(t, c, options{})
	for _, verb := range []string{"redrive", "purge", "pause", "resume"} {
		resp, err := http.PostForm(base+"/"+verb, url.Values{"queue": {"mails"}, "state": {"dead"}})
		check(t, err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", verb, resp.StatusCode)
		}
	}
	if st := c.stats(t, "mails"); st.Dead != 3 || st.ReadyTotal() != 20 || !st.PausedUntil.IsZero() {
		t.Errorf("something changed: %+v", st)
	}
	tab := browser(t)
	check(t, chromedp.Do(tab, untilSampled(base)))
	forms, err := chromedp.Run(tab, chromedp.Evaluate[int](`document.forms.length`))
	check(t, err)
	if forms != 0 {
		t.Errorf("a read-only page has %d forms", forms)
	}
}

// Other sites can neither post nor read by a name of their own.
func TestForeignRequests(t *testing.T) {
	c := startCluster(t)
	base := servePage(t, c, options{write: true, hosts: "inspect.shop.internal"})
	for _, tt := range []struct {
		method, host string
		header       [2]string
		want         int
	}{
		{"GET", "", [2]string{}, http.StatusOK},
		{"GET", "localhost:8090", [2]string{}, http.StatusOK},
		{"GET", "inspect.shop.internal", [2]string{}, http.StatusOK},
		{"GET", "evil.example:8090", [2]string{}, http.StatusForbidden},
		{"POST", "", [2]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"POST", "", [2]string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		{"POST", "", [2]string{"Origin", "http://evil.example"}, http.StatusForbidden},
		{"POST", "evil.example", [2]string{"Origin", "http://evil.example"}, http.StatusForbidden},
		{"POST", "", [2]string{"Sec-Fetch-Site", "same-origin"}, http.StatusSeeOther},
	} {
		path := "/"
		if tt.method == "POST" {
			path = "/resume"
		}
		req, err := http.NewRequestWithContext(t.Context(), tt.method, base+path, strings.NewReader("queue=mails"))
		check(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if tt.header[0] != "" {
			req.Header.Set(tt.header[0], tt.header[1])
		}
		if tt.host != "" {
			req.Host = tt.host
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		check(t, err)
		resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("%s, host %q, %s: status %d, want %d", tt.method, tt.host, tt.header, resp.StatusCode, tt.want)
		}
	}
}

// The page answers, and says what it cannot see, while the server is away.
func TestServerAway(t *testing.T) {
	server := testenv.Redis(t)
	c := &clusterAt{env: func(name string) string {
		return map[string]string{
			"REDIS_URL": "redis://:" + marker + "@" + server.Addr(), "QUEUE_ADAPTER": "redis", "LOCK_ADAPTER_DEFAULT": "redis",
		}[name]
	}}
	check(t, server.Client(t).ConfigSet(t.Context(), "requirepass", marker).Err())
	base := servePage(t, c, options{})
	get := func() string {
		resp, err := http.Get(base)
		check(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		check(t, err)
		if resp.StatusCode != http.StatusOK || strings.Contains(string(body), marker) {
			t.Errorf("status %d:\n%s", resp.StatusCode, body)
		}
		return string(body)
	}
	if body := get(); !strings.Contains(body, "0 of 32") {
		t.Errorf("while the server is there:\n%s", body)
	}
	server.Kill()
	if body := get(); strings.Contains(body, "0 of 32") || !strings.Contains(body, "refused") {
		t.Errorf("while the server is away:\n%s", body)
	}
}
