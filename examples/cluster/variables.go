package main

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cohort-go/cohort"
)

// The variables that the show sets where the environment does not, so that all
// areas are shared. The others are the environment's own.
const (
	clusterVariable   = "CLUSTER_MODE"
	namespaceVariable = "CLUSTER_NAMESPACE"
	redisVariable     = "REDIS_URL"
	cacheVariable     = "CACHE_DEFAULT_STORE"
	lockVariable      = "LOCK_ADAPTER_DEFAULT"
	queueVariable     = "QUEUE_ADAPTER"
	modeVariable      = "WORKER_MODE"
)

// variables are those of package cohort, for all nodes.
type variables map[string]string

// read takes the variables from the environment.
func read(getenv func(string) string) variables {
	v := variables{}
	for _, known := range cohort.Variables() {
		if value := strings.TrimSpace(getenv(known.Name)); value != "" {
			v[known.Name] = value
		}
	}
	delete(v, modeVariable) // every node of the show takes part in everything
	return v
}

// share puts on Redis what the environment leaves open, for nodes processes.
func (v variables) share(nodes int, namespace string) {
	v[namespaceVariable] = namespace
	if _, err := strconv.Atoi(v[clusterVariable]); err == nil || v[clusterVariable] == "max" || v[clusterVariable] == "" {
		v[clusterVariable] = strconv.Itoa(nodes)
	}
	for _, name := range []string{cacheVariable, lockVariable, queueVariable} {
		if v[name] == "" {
			v[name] = cohort.Redis
		}
	}
}

func (v variables) get(name string) string { return v[name] }

// environ is the environment of a node: that of this process with v.
func (v variables) environ() []string {
	own := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.ContainsFunc(cohort.Variables(), func(known cohort.Variable) bool { return known.Name == name })
	})
	for name, value := range v {
		own = append(own, name+"="+value)
	}
	return own
}
