// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter of pion/ice, versions 2 and 4: an agent and a TCP multiplexer with a port of its own per session.
//
// Version 2 accepts TCP connections and opens none; version 4 also opens them. A stream has one component. The stack's
// own are its candidates, ufrag and pwd; the rest of the SDP is written here (pics sdp: candidates), and the role is its
// caller's (role: adapter, obeys role). The build writes the version that it was asked for into the import below.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	ice "github.com/pion/ice/v2"
	"github.com/pion/logging"
	"github.com/pion/transport/v2"
	"github.com/pion/transport/v2/stdnet"
)

var loggers = logging.NewDefaultLoggerFactory()

// session is one agent. Its calls come one after the other.
type session struct {
	name        string
	controlling bool
	lite        bool
	remoteLite  bool
	dialed      bool
	offering    bool
	agent       *ice.Agent
	mux         *ice.TCPMuxDefault

	mu         sync.Mutex // of what follows, which the agent's own goroutines change
	gathered   chan struct{}
	candidates []ice.Candidate
	trickling  bool
	conn       *ice.Conn
}

func picture() object {
	connects := []string{"passive"}
	if strings.Split(version, ".")[0] != "2" {
		connects = []string{"active", "passive"}
	}
	return object{
		"agent": []string{"full", "lite"}, "sides": []string{"offerer", "answerer"},
		"offers": []string{"passive"}, "connects": connects, "transports": []string{"tcp", "udp"},
		"families": []int{4, 6}, "obeys": []string{"addresses", "transports", "tcptypes", "role"}, "role": "adapter", "components": 1,
		"restart": true, "trickle": true, "consent": false, "turn_over_tcp": true, "sdp": "candidates", "profile": "plain", "payload": "raw",
		"reports": []string{"state", "selected", "data"}, "sessions": 64,
	}
}

// network is the machine's, with the interfaces that pion is to know of: it gathers on all their addresses, but for ::1,
// which it leaves out.
type network struct {
	transport.Net
	interfaces []*transport.Interface
}

func (n network) Interfaces() ([]*transport.Interface, error) { return n.interfaces, nil }

// told is the network with these addresses alone, each on the interface that it is on. All of 127/8 is on loopback, and
// only 127.0.0.1 is listed there.
func told(addresses []string) (transport.Net, error) {
	machine, err := stdnet.NewNet()
	if err != nil || len(addresses) == 0 {
		return machine, err
	}
	listed, err := machine.Interfaces()
	if err != nil {
		return nil, err
	}
	var interfaces []*transport.Interface
	for _, one := range listed {
		mine := transport.NewInterface(one.Interface)
		held, _ := one.Addrs()
		for _, address := range addresses {
			ip := net.ParseIP(address)
			for _, each := range held {
				if its, ok := each.(*net.IPNet); ok && (its.IP.Equal(ip) || its.IP.IsLoopback() && its.Contains(ip)) {
					mine.AddAddress(&net.IPNet{IP: ip, Mask: its.Mask})
					break
				}
			}
		}
		if addrs, err := mine.Addrs(); err == nil && len(addrs) > 0 {
			interfaces = append(interfaces, mine)
		}
	}
	return network{machine, interfaces}, nil
}

func networks(transports []string) []ice.NetworkType {
	if len(transports) == 0 {
		transports = []string{"tcp", "udp"}
	}
	var types []ice.NetworkType
	for _, transport := range transports {
		if transport == "tcp" {
			types = append(types, ice.NetworkTypeTCP4, ice.NetworkTypeTCP6)
		} else if transport == "udp" {
			types = append(types, ice.NetworkTypeUDP4, ice.NetworkTypeUDP6)
		}
	}
	return types
}

func (s *session) open(p params) *refusal {
	if p.Components > 1 || p.Media == "bytes" {
		return refuse(noParams, "pion/ice has one component, and packets only")
	}
	kinds := []ice.CandidateType{ice.CandidateTypeHost}
	var servers []*ice.URL
	for _, server := range p.Servers {
		parsed, err := ice.ParseURL(server.URL)
		if err != nil {
			return refuse(rejected, "%v", err)
		}
		parsed.Username, parsed.Password = server.Username, server.Credential
		servers = append(servers, parsed)
		kinds = []ice.CandidateType{ice.CandidateTypeHost, ice.CandidateTypeServerReflexive, ice.CandidateTypeRelay}
	}
	s.offering = p.Side == "offerer"
	s.controlling, s.lite = s.offering, p.Agent == "lite"
	if p.Role != "" {
		s.controlling = p.Role == "controlling"
	}
	machine, err := told(p.Addresses)
	if err != nil {
		return refuse(internal, "%v", err)
	}
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{}) // on all addresses, as it is meant: candidates share the port
	if err != nil {
		return refuse(internal, "%v", err)
	}
	s.mux = ice.NewTCPMuxDefault(ice.TCPMuxParams{Listener: listener, Logger: loggers.NewLogger("mux"), ReadBufferSize: 32, WriteBufferSize: 4 << 20})
	s.agent, err = ice.NewAgent(&ice.AgentConfig{
		TCPMux: s.mux, NetworkTypes: networks(p.Transports), CandidateTypes: kinds, Urls: servers,
		Lite: s.lite, IncludeLoopback: true, Net: machine, MulticastDNSMode: ice.MulticastDNSModeDisabled, LoggerFactory: loggers,
	})
	if err != nil {
		return refuse(internal, "%v", err)
	}
	_ = s.agent.OnCandidate(s.onCandidate)
	_ = s.agent.OnConnectionStateChange(func(state ice.ConnectionState) {
		tell("state", object{"session": s.name, "state": strings.ToLower(state.String())})
	})
	_ = s.agent.OnSelectedCandidatePairChange(func(local, remote ice.Candidate) {
		tell("selected", object{"session": s.name, "component": 1, "local": "candidate:" + local.Marshal(), "remote": "candidate:" + remote.Marshal()})
	})
	return nil
}

// gather begins to gather, unless it has begun since the last restart.
func (s *session) gather(trickling bool) *refusal {
	s.mu.Lock()
	begun := s.gathered != nil
	if !begun {
		s.candidates, s.gathered, s.trickling = nil, make(chan struct{}), trickling
	}
	s.mu.Unlock()
	if begun {
		return nil
	}
	if err := s.agent.GatherCandidates(); err != nil {
		return refuse(internal, "%v", err)
	}
	return nil
}

func (s *session) onCandidate(candidate ice.Candidate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value := ""
	if candidate == nil {
		close(s.gathered)
	} else if candidate.Type() == ice.CandidateTypePeerReflexive {
		return
	} else {
		value = "candidate:" + candidate.Marshal()
		if !s.trickling {
			s.candidates = append(s.candidates, candidate)
		}
	}
	if s.trickling {
		tell("candidate", object{"session": s.name, "candidate": value, "mid": "0"})
	}
}

// describe writes the SDP. The stack chooses no default candidate: the first TCP one stands in the m-line, else the first.
func (s *session) describe(p params) (object, *refusal) {
	if refused := s.gather(p.Trickle); refused != nil {
		return nil, refused
	}
	if !p.Trickle {
		<-s.gathered
	}
	ufrag, pwd, err := s.agent.GetLocalUserCredentials()
	if err != nil {
		return nil, refuse(internal, "%v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	family, address, port, protocol := "IP4", "0.0.0.0", 9, "TCP/RTP/AVP"
	for index, candidate := range s.candidates {
		tcp := candidate.NetworkType().IsTCP()
		if index == 0 || tcp && protocol == "RTP/AVP" {
			family, address, port, protocol = "IP4", candidate.Address(), candidate.Port(), "RTP/AVP"
			if strings.Contains(address, ":") {
				family = "IP6"
			}
			if tcp {
				protocol = "TCP/RTP/AVP"
			}
		}
	}
	sdp := fmt.Sprintf("v=0\r\no=- 1 1 IN %s %s\r\ns=-\r\nt=0 0\r\n", family, address)
	if s.lite {
		sdp += "a=ice-lite\r\n"
	}
	if p.Trickle {
		sdp += "a=ice-options:trickle\r\n"
	}
	sdp += "m=audio " + strconv.Itoa(port) + " " + protocol + " 0\r\nc=IN " + family + " " + address + "\r\na=mid:0\r\n"
	sdp += "a=setup:passive\r\na=connection:new\r\na=ice-ufrag:" + ufrag + "\r\na=ice-pwd:" + pwd + "\r\n"
	for _, candidate := range s.candidates {
		sdp += "a=candidate:" + candidate.Marshal() + "\r\n"
	}
	kind := "answer"
	if s.offering {
		kind = "offer"
	}
	return object{"type": kind, "sdp": sdp}, nil
}

func attribute(sdp, name string) []string {
	var found []string
	for _, line := range strings.FieldsFunc(sdp, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if strings.HasPrefix(line, "a="+name+":") {
			found = append(found, line[len(name)+3:])
		} else if line == "a="+name {
			found = append(found, "")
		}
	}
	return found
}

func (s *session) accept(p params) *refusal {
	session, section, _ := strings.Cut(p.SDP, "m=")
	// what the section says counts before what the session says (RFC 8839 section 5.4)
	ufrags, pwds := attribute(section+session, "ice-ufrag"), attribute(section+session, "ice-pwd")
	if len(ufrags) == 0 || len(pwds) == 0 {
		return refuse(rejected, "no ICE credentials")
	}
	if s.dialed { // only an offer or answer with new credentials restarts
		old, _, err := s.agent.GetRemoteUserCredentials()
		if err == nil && old != ufrags[0] && p.Type == "offer" {
			if refused := s.restart(); refused != nil {
				return refused
			}
			s.offering = false
		}
		if err := s.agent.SetRemoteCredentials(ufrags[0], pwds[0]); err != nil {
			return refuse(rejected, "%v", err)
		}
	}
	s.remoteLite = len(attribute(p.SDP, "ice-lite")) > 0
	if refused := s.addAll(attribute(p.SDP, "candidate")); refused != nil {
		return refused
	}
	if !s.dialed {
		s.dialed = true
		go s.connect(ufrags[0], pwds[0])
	}
	return nil
}

// addAll gives the stack one candidate after the other: one that it refuses it has ignored (RFC 8839 section 5.1).
func (s *session) addAll(values []string) *refusal {
	var last *refusal
	taken := 0
	for _, value := range values {
		if refused := s.add(value); refused != nil {
			fmt.Fprintln(os.Stderr, s.name, "pion refused", value+":", refused.Message)
			last = refused
		} else {
			taken++
		}
	}
	if taken > 0 {
		return nil
	}
	return last
}

func (s *session) add(value string) *refusal {
	candidate, err := ice.UnmarshalCandidate(strings.TrimPrefix(value, "candidate:"))
	if err == nil {
		err = s.agent.AddRemoteCandidate(candidate)
	}
	if err != nil {
		return refuse(rejected, "%v", err)
	}
	return nil
}

func (s *session) connect(ufrag, pwd string) {
	start := s.agent.Accept
	if s.lite == s.remoteLite && s.controlling || s.remoteLite && !s.lite {
		start = s.agent.Dial
	}
	conn, err := start(context.Background(), ufrag, pwd)
	if err != nil {
		return // closed before it was connected
	}
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	buffer := make([]byte, 1<<16)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		tell("data", object{"session": s.name, "component": 1, "data": base64.StdEncoding.EncodeToString(buffer[:n])})
	}
}

func (s *session) send(p params) *refusal {
	octets, err := base64.StdEncoding.DecodeString(p.Data)
	if err != nil {
		return refuse(noParams, "%v", err)
	}
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn == nil {
		return refuse(internal, "not connected yet")
	}
	if _, err = conn.Write(octets); err != nil {
		return refuse(internal, "%v", err)
	}
	return nil
}

func (s *session) trickle(p params) *refusal {
	if p.Candidate == "" {
		return nil
	}
	return s.add(p.Candidate)
}

func (s *session) restart() *refusal {
	s.mu.Lock()
	gathered := s.gathered
	s.mu.Unlock()
	if gathered != nil {
		<-gathered
	}
	if err := s.agent.Restart("", ""); err != nil {
		return refuse(internal, "%v", err)
	}
	s.offering = true
	s.mu.Lock()
	s.gathered = nil
	s.mu.Unlock()
	return nil
}

func (s *session) close() {
	_ = s.agent.Close()
	done := make(chan struct{})
	go func() { // waits for connections that never sent anything, as long as their peer keeps them
		_ = s.mux.Close()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
		fmt.Fprintln(os.Stderr, s.name, "the multiplexer still waits for a connection that never sent anything")
	}
}

func main() {
	loggers.Writer = os.Stderr
	loggers.DefaultLogLevel = logging.LogLevelInfo
	converse("pion/ice", picture(), func(name string) stack { return &session{name: name} })
}
