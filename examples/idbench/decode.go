package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/cohort-go/cohort/snowflake"
)

// decoded is one ID, taken apart.
type decoded struct {
	ID       snowflake.ID `json:"id"`
	Base62   string       `json:"base62"`
	Base32   string       `json:"base32"`
	Time     time.Time    `json:"time"`
	Worker   int          `json:"worker"`
	Sequence int64        `json:"sequence"`
}

// decode writes what the IDs in args say. IDs that it cannot read do not keep it
// from the others.
func decode(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("idbench decode", flag.ContinueOnError)
	name := flags.String("layout", "compat53", "layout of the IDs")
	form := flags.String("form", "decimal", "form of the IDs: decimal, base62 or base32")
	asJSON := flags.Bool("json", false, "write JSON instead of a table")
	if err := flags.Parse(args); err != nil {
		return err
	}
	layout, err := parseLayout(*name)
	if err != nil {
		return err
	}
	parse, ok := map[string]func(string) (snowflake.ID, error){
		"decimal": snowflake.ParseID, "base62": snowflake.ParseBase62, "base32": snowflake.ParseBase32,
	}[*form]
	if !ok {
		return fmt.Errorf("-form is %q, want decimal, base62 or base32", *form)
	}
	if flags.NArg() == 0 {
		return errors.New("decode: no ID given")
	}
	all := []decoded{}
	var errs []error
	for _, text := range flags.Args() {
		id, err := parse(text)
		if err == nil {
			var p snowflake.Parts
			if p, err = layout.Decompose(id); err == nil {
				all = append(all, decoded{id, id.Base62(), id.Base32(), p.Time, p.Worker, p.Sequence})
			}
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, reportDecoded(out, all, *asJSON))...)
}

func reportDecoded(out io.Writer, all []decoded, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(out)
		lines.SetIndent("", "  ")
		return lines.Encode(all)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tbase62\tbase32\ttime\tworker\tsequence")
	for _, d := range all {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%d\n", d.ID, d.Base62, d.Base32,
			d.Time.Format("2006-01-02T15:04:05.000Z07:00"), d.Worker, d.Sequence)
	}
	return table.Flush()
}
