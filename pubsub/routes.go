package pubsub

// routes finds the subscriptions of a bus that match a channel. The bus' mu
// guards it.
type routes struct {
	all       map[*feed]struct{}
	byChannel map[string]*route // what of has found; emptied by every change
}

type route struct {
	channel string
	feeds   []*feed
}

// maxRoutes bounds the channels that are remembered.
const maxRoutes = 16384

func newRoutes() routes {
	return routes{
		all:       make(map[*feed]struct{}),
		byChannel: make(map[string]*route),
	}
}

func (r *routes) add(f *feed) {
	r.all[f] = struct{}{}
	clear(r.byChannel)
}

func (r *routes) remove(f *feed) {
	delete(r.all, f)
	clear(r.byChannel)
}

// of returns the route of a channel.
func (r *routes) of(channel []byte) *route {
	if known := r.byChannel[string(channel)]; known != nil {
		return known
	}
	if len(r.byChannel) >= maxRoutes {
		clear(r.byChannel)
	}
	found := &route{channel: string(channel)}
	for f := range r.all {
		if f.sub.pattern.match(found.channel) {
			found.feeds = append(found.feeds, f)
		}
	}
	r.byChannel[found.channel] = found
	return found
}
