package testenv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A RabbitSet is a cluster of RabbitMQ nodes. They can be frozen, killed and
// restarted one by one.
type RabbitSet struct {
	Nodes []*Rabbit

	mapper *portMapper
}

// RabbitCluster starts a cluster of n nodes, which ends with t.
func RabbitCluster(t testing.TB, n int) *RabbitSet {
	t.Helper()
	return rabbits(t, n, nil, nil)
}

// URLs name the nodes.
func (s *RabbitSet) URLs() []string {
	urls := make([]string, len(s.Nodes))
	for i, n := range s.Nodes {
		urls[i] = n.URL()
	}
	return urls
}

func rabbits(t testing.TB, n int, files *Certificates, config []string) *RabbitSet {
	t.Helper()
	s, err := newRabbitSet(t.TempDir(), n, files, config)
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(func() {
		s.stop()
		for _, node := range s.Nodes {
			if t.Failed() {
				t.Logf("%s at %s printed:\n%s", node.name, node.Addr(), node.Process().Log())
			}
		}
	})
	return s
}

// newRabbitSet starts n nodes: the first one alone, then all others, which join
// it.
func newRabbitSet(dir string, n int, files *Certificates, config []string) (*RabbitSet, error) {
	mapper, err := newPortMapper()
	if err != nil {
		return nil, err
	}
	config = append(config, "cluster_formation.classic_config.nodes.1 = "+nodeName(0))
	s := &RabbitSet{Nodes: make([]*Rabbit, n), mapper: mapper}
	start := func(i int) (err error) {
		s.Nodes[i], err = newRabbit(filepath.Join(dir, strconv.Itoa(i)), nodeName(i), mapper, files, config)
		return err
	}
	errs := make([]error, n)
	errs[0] = start(0)
	var joins sync.WaitGroup
	for i := 1; i < n && errs[0] == nil; i++ {
		joins.Go(func() { errs[i] = start(i) })
	}
	joins.Wait()
	if err := errors.Join(errs...); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func nodeName(i int) string { return fmt.Sprintf("rabbit%d@localhost", i) }

func newRabbit(dir, name string, mapper *portMapper, files *Certificates, config []string) (*Rabbit, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	reserved, err := reservePort()
	if err != nil {
		return nil, err
	}
	r := &Rabbit{name: name, dir: dir, port: reserved, mapper: mapper}
	if files != nil {
		if r.tls, err = reservePort(); err != nil {
			return nil, err
		}
	}
	err = r.configure(files, config)
	if err == nil {
		err = r.start()
	}
	if err != nil {
		reserved.release()
		return nil, err
	}
	return r, nil
}

// configure writes the files that the node reads.
func (r *Rabbit) configure(files *Certificates, config []string) error {
	lines := append([]string{"log.console.level = info"}, config...)
	if files != nil {
		path, err := program("rabbitmq-server")
		if err != nil {
			return err
		}
		if err := os.CopyFS(filepath.Join(r.dir, "tls"), os.DirFS(files.Dir)); err != nil {
			return err
		}
		in := func(file string) string { return filepath.Join(r.home(path), "tls", filepath.Base(file)) }
		lines = append(lines,
			fmt.Sprintf("listeners.ssl.default = 127.0.0.1:%d", r.tls.number),
			"ssl_options.cacertfile = "+in(files.CA),
			"ssl_options.certfile = "+in(files.ServerCert),
			"ssl_options.keyfile = "+in(files.ServerKey))
	}
	return errors.Join(
		os.WriteFile(filepath.Join(r.dir, "rabbitmq.conf"), []byte(strings.Join(lines, "\n")+"\n"), 0o600),
		os.WriteFile(filepath.Join(r.dir, "plugins"), []byte("[].\n"), 0o600))
}

// stop ends all nodes, at once because each takes a moment.
func (s *RabbitSet) stop() {
	var stops sync.WaitGroup
	for _, n := range s.Nodes {
		if n != nil { // it never started
			stops.Go(n.stop)
		}
	}
	stops.Wait()
	s.mapper.close()
}
