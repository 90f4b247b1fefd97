package pubsubredis

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

var _ pubsub.InspectBackend = (*backend)(nil)

// Inspect implements pubsub.InspectBackend.
func (b *backend) Inspect(ctx context.Context, i int) (pubsub.BusInfo, error) {
	log, err := b.buses[i].stream.Inspect(ctx, memberTTL)
	if err != nil {
		return pubsub.BusInfo{}, err
	}
	info := pubsub.BusInfo{Now: log.Now, Stored: log.Stored, Kept: log.Kept}
	if log.Newest.Ms > 0 {
		info.Newest = time.UnixMilli(int64(log.Newest.Ms))
	}
	for name, heard := range log.Members {
		info.Nodes = append(info.Nodes, pubsub.NodeInfo{Name: name, Heard: heard})
	}
	return info, nil
}
