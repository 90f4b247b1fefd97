package redisconn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/testenv"
)

func TestOpenEveryForm(t *testing.T) {
	certs := newCerts(t)
	socket := filepath.Join(t.TempDir(), "redis.sock")
	tests := []struct {
		name string
		url  func(t *testing.T) string
	}{
		{"redis", func(t *testing.T) string { return testenv.Redis(t).URL() }},
		{"unix", func(t *testing.T) string {
			testenv.Redis(t, "--unixsocket", socket, "--requirepass", "a/b")
			return "unix://:a%2Fb@" + socket + "?db=3"
		}},
		{"redis-cluster", func(t *testing.T) string { return testenv.RedisCluster(t).URL() }},
		{"redis-sentinel", func(t *testing.T) string { return testenv.Sentinel(t).URL() }},
		{"rediss", func(t *testing.T) string {
			return "rediss://" + certs.server(t) + "/0?ca_file=" + certs.file + "&cert_file=" + certs.file + "&key_file=" + certs.file
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := open(t, redisconn.NewPools(), tt.url(t)).Client()
			if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
				t.Error(err)
			}
			if !redisconn.HonoursDeadlines(c) {
				t.Error("the client does not honour deadlines")
			}
		})
	}
}

func TestTLSRefusals(t *testing.T) {
	certs := newCerts(t)
	tests := []struct{ name, parameters, want string }{
		{"unknown authority", "", "certificate"},
		{"no client certificate", "?ca_file=" + certs.file, "certificate"},
		{"wrong server name", "?server_name=other&ca_file=" + certs.file + "&cert_file=" + certs.file + "&key_file=" + certs.file, "other"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			c, err := redisconn.NewPools().Open(t.Context(), "rediss://"+certs.server(t)+tt.parameters)
			if err == nil {
				_ = c.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || time.Since(start) > 3*time.Second {
				t.Errorf("got %v after %v, want %q at once", err, time.Since(start), tt.want)
			}
		})
	}
}

// certs is one self-signed certificate that serves as authority, server and
// client, in one PEM file.
type certs struct {
	file string
	pair tls.Certificate
}

func newCerts(t *testing.T) certs {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:        true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	file := filepath.Join(t.TempDir(), "test.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		t.Fatal(err)
	}
	return certs{file: file, pair: pair}
}

// server is the address of a Redis that wants a certificate of its clients.
func (c certs) server(t *testing.T) (addr string) {
	t.Helper()
	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(c.pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(leaf)
	server := miniredis.NewMiniRedis()
	err = server.StartTLS(&tls.Config{
		Certificates: []tls.Certificate{c.pair}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server.Addr()
}
