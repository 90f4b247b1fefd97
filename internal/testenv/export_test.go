package testenv

// StartOrphans starts a server of each sort as the shared ones are, and returns
// addresses that answer until they end.
func StartOrphans(dir string) ([]string, error) {
	s, err := newServer("redis-server", dir+"/redis")
	if err != nil {
		return nil, err
	}
	r, err := newRabbitSet(dir+"/rabbit", 1, nil, nil)
	if err != nil {
		return nil, err
	}
	return []string{s.Addr(), r.Nodes[0].Addr()}, nil
}
