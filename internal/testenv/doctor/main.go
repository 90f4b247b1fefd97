// Command doctor lists the servers that tests find on this machine, and how to
// get those that are missing. With CI=true it ends with 1 if one is.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cohort-go/cohort/internal/testenv"
)

func main() {
	missing := false
	for _, t := range testenv.Tiers(context.Background()) {
		said := "here"
		switch {
		case t.Missing != nil:
			missing = true
			said = "missing: " + t.Missing.Error()
		case t.Version != "":
			said += ", " + t.Version
		}
		fmt.Printf("tier %d  %-46s %s\n", t.Number, t.What, said)
	}
	if missing && os.Getenv("CI") == "true" {
		os.Exit(1)
	}
}
