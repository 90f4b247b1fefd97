package testenv

import (
	"context"
	"os/exec"
	"regexp"
	"time"
)

// A Tier is a sort of server and what is known of it on this machine.
type Tier struct {
	Number  int
	What    string
	Version string
	Missing error // nil if tests can use it; else says how to get it
}

// Tiers looks what this machine has.
func Tiers(ctx context.Context) []Tier {
	tiers := []Tier{{Number: 0, What: "memory and miniredis", Version: "built in"}}
	for _, s := range []struct{ what, program string }{
		{"Redis, also as a cluster and behind sentinels", "redis-server"},
		{"Valkey", "valkey-server"},
		{"RabbitMQ", "rabbitmq-server"},
	} {
		path, err := program(s.program)
		t := Tier{Number: 1, What: s.what, Missing: err}
		if err == nil && s.program != "rabbitmq-server" { // which would start
			t.Version = version(ctx, path)
		}
		tiers = append(tiers, t)
	}
	for _, image := range []string{"redis:7", "redis:8", "valkey:8", "rabbitmq:4"} {
		tiers = append(tiers, Tier{Number: 2, What: "container " + image, Missing: haveImage(ctx, image)})
	}
	return tiers
}

// version is what the program at path says of itself.
func version(ctx context.Context, path string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return err.Error()
	}
	return string(regexp.MustCompile(`[0-9]+\.[0-9.]+`).Find(output))
}

// haveImage says what a container of the image needs and does not find.
func haveImage(ctx context.Context, image string) error {
	docker, err := engine(ctx)
	if err != nil {
		return err
	}
	defer docker.Close()
	if _, err := docker.ImageInspect(ctx, image); err != nil {
		return &missingError{2, "image " + image, "run docker pull " + image + ", or .ci/testservers.sh " + image}
	}
	return nil
}
