package testenv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certificates are files of an authority of one's own, of a server on loopback
// and of a client, all valid for a day.
type Certificates struct {
	Dir                   string
	CA                    string
	ServerCert, ServerKey string
	ClientCert, ClientKey string
}

// NewCertificates makes the files in a folder that goes with t.
func NewCertificates(t testing.TB) *Certificates {
	t.Helper()
	c, err := newCertificates(t.TempDir())
	if err != nil {
		t.Fatalf("testenv: certificates: %v", err)
	}
	return c
}

func newCertificates(dir string) (*Certificates, error) {
	in := func(name string) string { return filepath.Join(dir, name) }
	c := &Certificates{
		Dir: dir, CA: in("ca.pem"),
		ServerCert: in("server.pem"), ServerKey: in("server.key"),
		ClientCert: in("client.pem"), ClientKey: in("client.key"),
	}
	return c, c.make()
}

func (c *Certificates) make() error {
	authority := template("authority")
	authority.IsCA, authority.KeyUsage = true, x509.KeyUsageCertSign
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if err := writeCertificate(c.CA, authority, authority, key, key); err != nil {
		return err
	}
	for _, leaf := range []struct {
		name, cert, key string
		usage           x509.ExtKeyUsage
	}{
		{"server", c.ServerCert, c.ServerKey, x509.ExtKeyUsageServerAuth},
		{"client", c.ClientCert, c.ClientKey, x509.ExtKeyUsageClientAuth},
	} {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		der, err := x509.MarshalPKCS8PrivateKey(own)
		if err != nil {
			return err
		}
		if err := writePEM(leaf.key, "PRIVATE KEY", der); err != nil {
			return err
		}
		cert := template(leaf.name)
		cert.KeyUsage, cert.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{leaf.usage}
		if err := writeCertificate(leaf.cert, cert, authority, own, key); err != nil {
			return err
		}
	}
	return nil
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

// writeCertificate writes cert for the key own, signed by issuer.
func writeCertificate(path string, cert, issuer *x509.Certificate, own, issuerKey *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, cert, issuer, own.Public(), issuerKey)
	if err != nil {
		return err
	}
	return writePEM(path, "CERTIFICATE", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// Config is what a client needs to trust the server, with a certificate of its
// own if mutual.
func (c *Certificates) Config(t testing.TB, mutual bool) *tls.Config {
	t.Helper()
	authority, err := os.ReadFile(c.CA)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	config.RootCAs.AppendCertsFromPEM(authority)
	if mutual {
		cert, err := tls.LoadX509KeyPair(c.ClientCert, c.ClientKey)
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	return config
}

// RedisTLS starts a Redis that speaks TLS, too, at [Server.TLSAddr], and asks for
// a client's certificate if mutual.
func RedisTLS(t testing.TB, c *Certificates, mutual bool, args ...string) *Server {
	t.Helper()
	s, err := newTLSServer("redis-server", t.TempDir(), c, mutual, args...)
	if err != nil {
		unavailable(t, err)
	}
	s.stopWith(t)
	return s
}

func newTLSServer(program, dir string, c *Certificates, mutual bool, args ...string) (*Server, error) {
	auth := "no"
	if mutual {
		auth = "yes"
	}
	return newProgram(program, dir, func(port int, dir string) ([]string, error) {
		return append(redisArgs(port, dir),
			append([]string{
				"--tls-port", fmt.Sprint(port + busOffset), "--tls-ca-cert-file", c.CA,
				"--tls-cert-file", c.ServerCert, "--tls-key-file", c.ServerKey, "--tls-auth-clients", auth,
			}, args...)...), nil
	})
}

// TLSAddr is host and port for TLS, of a server that [RedisTLS] started.
func (s *Server) TLSAddr() string { return loopback(s.port.number + busOffset) }
