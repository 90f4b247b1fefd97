package queue

import (
	"github.com/cohort-go/cohort/queue/queuerabbit"
)

type cohortRabbit struct {
	cohort
	conn *queuerabbit.Conn
}

func openCohortRabbit(url, queue string) (system, error) {
	conn, err := queuerabbit.NewConn(queuerabbit.ConnOptions{}, url)
	if err != nil {
		return nil, err
	}
	q, err := queuerabbit.New(conn, queue, queuerabbit.Options{})
	if err != nil {
		return nil, err
	}
	return cohortRabbit{cohort{q}, conn}, nil
}

func (c cohortRabbit) close() {
	c.cohort.close()
	closeWithin(c.conn.Close)
}
