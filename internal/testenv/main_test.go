package testenv_test

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestMain(m *testing.M) {
	testenv.Main(m, map[string]func([]string){
		"echo":  echo,
		"count": count,
		"die":   func([]string) { os.Exit(3) },
		"owner": owner,
	})
}

// echo prints its arguments, then each line it is sent.
func echo(args []string) {
	fmt.Println(args)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(lines.Text())
	}
}

// count prints numbers as fast as they are taken.
func count([]string) {
	for i := 0; ; i++ {
		fmt.Println(i)
	}
}

// owner starts servers, prints where they are, and waits to be killed.
func owner(args []string) {
	addrs, err := testenv.StartOrphans(args[0])
	if err != nil {
		fmt.Println("error", err)
	}
	for _, addr := range addrs {
		fmt.Println(addr)
	}
	select {}
}
