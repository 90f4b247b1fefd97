package workeridtest

import (
	"errors"

	"github.com/cohort-go/cohort/workerid"
)

var replicating = []promise{
	{name: "CopiedGrant", says: "a grant counts only once the replicas that it needs have it", test: copiedGrant, copies: true},
	{name: "CopiedRenewal", says: "so does a renewal, which can be repeated", test: copiedRenewal, copies: true},
}

func copiedGrant(t T, s Server) {
	p := newPool(t, s, 1)
	p.Isolate(true)
	r := p.request()
	p.refused(workerid.ErrNotReplicated, r)
	p.Isolate(false)
	// The holder has never learned its number, and gives it back by its token.
	(&holder{p: p, Grant: workerid.Grant{ID: -1}, token: r.Token, known: []string{r.Nonce}}).release(0)
	p.acquire()
}

func copiedRenewal(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	p.Isolate(true)
	r := h.renewal(0)
	if _, err := p.Backend.Renew(t.Context(), r); !errors.Is(err, workerid.ErrNotReplicated) {
		t.Errorf("renew without replicas: %v, want ErrNotReplicated", err)
	}
	h.known = append(h.known, r.Nonce)
	p.Isolate(false)
	h.renew(0)
}
