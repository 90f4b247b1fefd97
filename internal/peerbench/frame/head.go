package frame

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// Head says what was compared and where.
type Head struct {
	Go       string            `json:"go"`
	OS       string            `json:"os"`
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	Redis    string            `json:"redis,omitempty"`
	Versions map[string]string `json:"versions"` // by module
}

// NewHead describes this machine and the modules of the areas' peers as they were
// built into this program.
func NewHead(areas []Area, redisVersion string) Head {
	h := Head{
		Go: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH, CPU: cpuModel(),
		Cores: runtime.GOMAXPROCS(0), Redis: redisVersion, Versions: map[string]string{},
	}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return h
	}
	for _, area := range areas {
		for _, dep := range build.Deps {
			if slices.Contains(area.Peers, dep.Path) {
				h.Versions[dep.Path] = dep.Version
			}
		}
	}
	return h
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
