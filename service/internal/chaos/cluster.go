package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// RunNode is the program of one NATS node of a [Cluster]. It ends when it is killed.
func RunNode(args []string) error {
	flags := flag.NewFlagSet("node", flag.ContinueOnError)
	name := flags.String("name", "", "of the node")
	store := flags.String("store", "", "its folder")
	port := flags.Int("port", 0, "for clients")
	route := flags.Int("route", 0, "for other nodes")
	routes := flags.String("routes", "", "their URLs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ns, err := server.NewServer(&server.Options{
		ServerName: *name, Host: "127.0.0.1", Port: *port, JetStream: true, StoreDir: *store, SyncAlways: true, NoSigs: true, NoLog: true,
		Cluster: server.ClusterOpts{
			Name: "chaos", Host: "127.0.0.1", Port: *route, NoAdvertise: true,
			Advertise: "127.0.0.1:1", // nobody goes around the proxies
		},
		Routes: server.RoutesFromStr(*routes),
	})
	if err != nil {
		return err
	}
	ns.Start()
	ns.WaitForShutdown()
	return nil
}

// nodes is how many a cluster has: one may be away.
const nodes = 3

// Cluster is a NATS cluster of three programs on this machine, whose writes are synchronous.
// Each reaches each other one through a proxy.
type Cluster struct {
	processes [nodes]*Process
	clients   [nodes]string
	wires     [nodes][nodes]*proxy // from, to
}

// StartCluster starts a cluster that keeps its data in a folder. The command, with arguments,
// has to run RunNode.
func StartCluster(folder string, command []string, log io.Writer) (*Cluster, error) {
	c := &Cluster{}
	ports, err := freePorts(2 * nodes)
	if err != nil {
		return nil, err
	}
	for i := range nodes {
		var routes []string
		for k := range nodes {
			if i == k {
				continue
			}
			if c.wires[i][k], err = newProxy(fmt.Sprintf("127.0.0.1:%d", ports[nodes+k])); err != nil {
				c.Close()
				return nil, err
			}
			routes = append(routes, "nats://"+c.wires[i][k].address())
		}
		name := fmt.Sprintf("n%d", i)
		c.clients[i] = fmt.Sprintf("nats://127.0.0.1:%d", ports[i])
		c.processes[i] = &Process{Name: "nats " + name, Env: os.Environ(), Log: log, Command: append(append([]string{}, command...),
			"-name", name, "-store", filepath.Join(folder, name), "-port", fmt.Sprint(ports[i]), "-route", fmt.Sprint(ports[nodes+i]),
			"-routes", strings.Join(routes, ","))}
	}
	for _, p := range c.processes {
		if err := p.Start(); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// URL is what programs connect to.
func (c *Cluster) URL() string { return strings.Join(c.clients[:], ",") }

// Kill kills a node, Start starts it again.
func (c *Cluster) Kill(i int) { c.processes[i].Kill() }

// Start starts a node that was killed.
func (c *Cluster) Start(i int) error { return c.processes[i].Start() }

// Cut cuts a node off from the others, or heals that. Its clients still reach it.
func (c *Cluster) Cut(node int, cut bool) {
	for k := range nodes {
		if k != node {
			c.wires[node][k].set(cut)
			c.wires[k][node].set(cut)
		}
	}
}

// Close ends all programs.
func (c *Cluster) Close() {
	for i := range nodes {
		if c.processes[i] != nil {
			c.processes[i].Kill()
		}
		for _, p := range c.wires[i] {
			if p != nil {
				p.close()
			}
		}
	}
}

// ask lets do talk to the nodes, or to those given.
func (c *Cluster) ask(ctx context.Context, url string, do func(context.Context, jetstream.JetStream) error) error {
	nc, err := nats.Connect(url, nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return do(ctx, js)
}

// Leader returns the node that leads a stream.
func (c *Cluster) Leader(ctx context.Context, stream string) (int, error) {
	leader := -1
	err := c.ask(ctx, c.URL(), func(ctx context.Context, js jetstream.JetStream) error {
		s, err := js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		if cluster := s.CachedInfo().Cluster; cluster != nil {
			_, err = fmt.Sscanf(cluster.Leader, "n%d", &leader)
		}
		return err
	})
	if err == nil && (leader < 0 || leader >= nodes) {
		err = errors.New("no leader")
	}
	return leader, err
}

// WaitWhole waits until all nodes are there and have all that the streams have.
func (c *Cluster) WaitWhole(ctx context.Context) error {
	var last error
	for {
		last = errors.Join(c.whole(ctx)...)
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the cluster isn't whole: %w", last)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// whole says what is missing.
func (c *Cluster) whole(ctx context.Context) (missing []error) {
	for i, url := range c.clients {
		err := c.ask(ctx, url, func(ctx context.Context, js jetstream.JetStream) error {
			_, err := js.AccountInfo(ctx)
			return err
		})
		if err != nil {
			missing = append(missing, fmt.Errorf("n%d: %w", i, err))
		}
	}
	if missing != nil {
		return missing
	}
	err := c.ask(ctx, c.URL(), func(ctx context.Context, js jetstream.JetStream) error {
		streams := js.ListStreams(ctx)
		for info := range streams.Info() {
			if info.Cluster == nil || info.Cluster.Leader == "" {
				missing = append(missing, fmt.Errorf("%s has no leader", info.Config.Name))
				continue
			}
			for _, peer := range info.Cluster.Replicas {
				if peer.Offline || !peer.Current {
					missing = append(missing, fmt.Errorf("%s lags on %s", info.Config.Name, peer.Name))
				}
			}
		}
		return streams.Err()
	})
	return append(missing, err)
}

// freePorts returns ports that nothing listens on.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
