package redisurl

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/url"
	"os"

	"github.com/redis/go-redis/v9"
)

// tlsParameters are those of the rediss schemes.
var tlsParameters = []string{"ca_file", "cert_file", "key_file", "server_name", "skip_verify"}

func setTLS(opt *redis.UniversalOptions, secure bool, query url.Values) error {
	var problems []error
	for _, name := range tlsParameters {
		switch {
		case !query.Has(name):
		case !secure:
			problems = append(problems, errors.New(name+" needs TLS; write rediss for redis"))
		case len(query[name]) > 1:
			problems = append(problems, errors.New(name+" is given twice"))
		case query.Get(name) == "":
			problems = append(problems, errors.New(name+" is empty"))
		}
	}
	if len(problems) > 0 || !secure {
		return errors.Join(problems...)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: query.Get("server_name")}
	switch query.Get("skip_verify") {
	case "true", "1":
		config.InsecureSkipVerify = true // asked for by name
	case "", "false", "0":
	default:
		problems = append(problems, errors.New("skip_verify must be true or false"))
	}
	problems = append(problems, setAuthorities(config, query.Get("ca_file")),
		setCertificate(config, query.Get("cert_file"), query.Get("key_file")))
	opt.TLSConfig = config
	return errors.Join(problems...)
}

func setAuthorities(config *tls.Config, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return errors.New("ca_file cannot be read") // err repeats its name, a part of the URL
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return errors.New("ca_file holds no certificate in PEM form")
	}
	return nil
}

func setCertificate(config *tls.Config, certFile, keyFile string) error {
	switch {
	case certFile == "" && keyFile == "":
		return nil
	case certFile == "" || keyFile == "":
		return errors.New("cert_file and key_file need each other")
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return errors.New("cert_file and key_file are not a certificate and its key in PEM form")
	}
	config.Certificates = []tls.Certificate{cert}
	return nil
}
