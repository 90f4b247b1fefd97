package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/cohort-go/cohort"
)

// object is what the tests read of a Kubernetes manifest.
type object struct {
	Kind       string
	Metadata   struct{ Name string }
	Data       map[string]string
	StringData map[string]string `yaml:"stringData"`
	Spec       struct {
		Template struct{ Spec pod }
	}
}

type pod struct {
	Grace      int `yaml:"terminationGracePeriodSeconds"`
	Containers []struct {
		Args    []string
		EnvFrom []map[string]struct{ Name string } `yaml:"envFrom"`
		Live    probe                              `yaml:"livenessProbe"`
		Ready   probe                              `yaml:"readinessProbe"`
		Cycle   struct {
			PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
		} `yaml:"lifecycle"`
	}
}

type probe struct {
	HTTP struct{ Path string } `yaml:"httpGet"`
}

// readManifests returns the objects of all manifests by kind.
func readManifests(t *testing.T) map[string]object {
	t.Helper()
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]object{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		dec := yaml.NewDecoder(bytes.NewReader(text))
		for {
			var o object
			if err := dec.Decode(&o); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			objects[o.Kind] = o
		}
	}
	return objects
}

func TestKubernetes(t *testing.T) {
	objects := readManifests(t)
	env := map[string]string{}
	for _, values := range []map[string]string{objects["ConfigMap"].Data, objects["Secret"].StringData} {
		maps.Copy(env, values)
	}
	checkVariables(t, env)
	for name, value := range objects["ConfigMap"].Data {
		if strings.Contains(value, "://") {
			t.Errorf("%s is an address and belongs to the Secret", name)
		}
	}

	spec := objects["Deployment"].Spec.Template.Spec
	c := spec.Containers[0]
	if c.Live.HTTP.Path != "/livez" || c.Ready.HTTP.Path != "/readyz" {
		t.Errorf("probes ask %q and %q", c.Live.HTTP.Path, c.Ready.HTTP.Path)
	}
	for _, from := range c.EnvFrom {
		for kind, ref := range from {
			if want := objects[map[string]string{"configMapRef": "ConfigMap", "secretRef": "Secret"}[kind]]; want.Metadata.Name != ref.Name {
				t.Errorf("%s names %q, which there is not", kind, ref.Name)
			}
		}
	}
	drain, err := time.ParseDuration(c.Args[slices.Index(c.Args, "-drain")+1])
	if err != nil {
		t.Fatal(err)
	}
	needs := time.Duration(c.Cycle.PreStop.Sleep.Seconds)*time.Second + drain + cohort.DefaultGrace
	if given := time.Duration(spec.Grace) * time.Second; given <= needs {
		t.Errorf("a pod has %v to end and may need %v", given, needs)
	}
}

func TestCompose(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Image       string
			Environment map[string]string
			Grace       string `yaml:"stop_grace_period"`
		}
	}
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &compose); err != nil {
		t.Fatal(err)
	}
	for name, image := range map[string]string{"redis": "redis:8", "rabbitmq": "rabbitmq:4"} {
		if got := compose.Services[name].Image; got != image {
			t.Errorf("%s is image %q, want %s", name, got, image)
		}
	}
	nginx := readConf(t, "nginx.conf")
	for i := range 3 {
		node := compose.Services[nodeName(i)]
		for _, adapter := range []string{cohort.Redis, cohort.RabbitMQ} {
			env := maps.Clone(node.Environment)
			env["QUEUE_ADAPTER"] = strings.Replace(env["QUEUE_ADAPTER"], "${QUEUE_ADAPTER:-redis}", adapter, 1)
			checkVariables(t, env)
		}
		if !strings.Contains(nginx, "server "+nodeName(i)+":8080 ") {
			t.Errorf("nginx.conf does not name %s", nodeName(i))
		}
		if grace, err := time.ParseDuration(node.Grace); err != nil || grace <= 5*time.Second+cohort.DefaultGrace {
			t.Errorf("%s has %v to end (%v)", nodeName(i), grace, err)
		}
	}
}

// checkVariables reports what a node would not start with.
func checkVariables(t *testing.T, env map[string]string) {
	t.Helper()
	config, err := cohort.FromEnv(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	if !config.Cluster || config.Queue.Kind == cohort.Memory {
		t.Errorf("%+v is not the cluster that was meant", config)
	}
	for name := range env {
		if !slices.ContainsFunc(cohort.Variables(), func(v cohort.Variable) bool { return v.Name == name }) {
			t.Errorf("%s is no variable", name)
		}
	}
}
