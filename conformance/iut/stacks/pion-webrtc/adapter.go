// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter of pion/webrtc, version 4: each session is a PeerConnection with audio and a data channel, and has a TCP
// multiplexer with a port of its own. UDP is switched off where the tester asks for TCP alone.
package main

import (
	"encoding/base64"
	"net"
	"os"
	"sync"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

var (
	loggers = logging.NewDefaultLoggerFactory()
	pics    = object{
		"agent": []string{"full", "lite"}, "sides": []string{"offerer", "answerer"}, "offers": []string{"passive"},
		"connects": []string{"active", "passive"}, "transports": []string{"tcp", "udp"}, "families": []int{4, 6},
		"obeys": []string{"transports"}, "role": "stack", "components": 1, "restart": true, "updates": true, "trickle": true,
		"consent": false, "sdp": "full", "profile": "webrtc", "payload": "dtls",
		"reports": []string{"state", "selected", "data"}, "sessions": 32,
	}
)

// session is one PeerConnection. Its calls come one after the other.
type session struct {
	name       string
	restarting bool
	connection *webrtc.PeerConnection
	mux        ice.TCPMux

	mu        sync.Mutex // of what follows, which pion's own goroutines use
	trickling bool
	channel   *webrtc.DataChannel
}

// wished says whether an address is one to gather. pion leaves ::1 out whatever its caller says, so that where it is
// wished for the other IPv6 addresses have to do.
func wished(addresses []string) func(net.IP) bool {
	return func(ip net.IP) bool {
		for _, address := range addresses {
			if ip.Equal(net.ParseIP(address)) || address == "::1" && ip.To4() == nil {
				return true
			}
		}
		return len(addresses) == 0
	}
}

func networks(transports []string) []webrtc.NetworkType {
	if len(transports) == 0 {
		transports = []string{"tcp", "udp"}
	}
	var types []webrtc.NetworkType
	for _, transport := range transports {
		if transport == "tcp" {
			types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
		} else if transport == "udp" {
			types = append(types, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6)
		}
	}
	return types
}

func (s *session) open(p params) *refusal {
	if p.Components > 1 || p.Media == "bytes" {
		return refuse(noParams, "one component, and packets only")
	}
	if p.Agent == "lite" && len(p.Servers) > 0 {
		return refuse(noParams, "a lite agent has host candidates alone")
	}
	var servers []webrtc.ICEServer
	for _, server := range p.Servers {
		servers = append(servers, webrtc.ICEServer{URLs: []string{server.URL}, Username: server.Username, Credential: server.Credential})
	}
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{}) // on all addresses: candidates share the port
	if err != nil {
		return refuse(internal, "%v", err)
	}
	s.mux = webrtc.NewICETCPMux(loggers.NewLogger("mux"), listener, 32)
	engine := webrtc.SettingEngine{LoggerFactory: loggers}
	engine.SetICETCPMux(s.mux)
	engine.SetNetworkTypes(networks(p.Transports))
	engine.SetIPFilter(wished(p.Addresses))
	engine.SetIncludeLoopbackCandidate(true)
	engine.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	engine.SetLite(p.Agent == "lite")
	media := &webrtc.MediaEngine{}
	if err = media.RegisterDefaultCodecs(); err != nil {
		return refuse(internal, "%v", err)
	}
	api := webrtc.NewAPI(webrtc.WithSettingEngine(engine), webrtc.WithMediaEngine(media))
	if s.connection, err = api.NewPeerConnection(webrtc.Configuration{ICEServers: servers}); err != nil {
		return refuse(internal, "%v", err)
	}
	s.connection.OnICECandidate(s.onCandidate)
	s.connection.OnICEConnectionStateChange(func(state webrtc.ICEConnectionState) {
		tell("state", object{"session": s.name, "state": state.String()})
	})
	s.connection.OnDataChannel(s.take)
	if p.Side == "offerer" {
		if _, err = s.connection.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio); err != nil {
			return refuse(internal, "%v", err)
		}
		channel, err := s.connection.CreateDataChannel("icetcp", nil)
		if err != nil {
			return refuse(internal, "%v", err)
		}
		s.take(channel)
	}
	s.connection.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(func(pair *webrtc.ICECandidatePair) {
		tell("selected", object{"session": s.name, "component": 1, "local": pair.Local.ToJSON().Candidate, "remote": pair.Remote.ToJSON().Candidate})
	})
	return nil
}

func (s *session) take(channel *webrtc.DataChannel) {
	s.mu.Lock()
	s.channel = channel
	s.mu.Unlock()
	channel.OnMessage(func(message webrtc.DataChannelMessage) {
		tell("data", object{"session": s.name, "component": 1, "data": base64.StdEncoding.EncodeToString(message.Data)})
	})
}

func (s *session) onCandidate(candidate *webrtc.ICECandidate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.trickling {
		return
	}
	value, mid := "", "0"
	if candidate != nil {
		told := candidate.ToJSON()
		value = told.Candidate
		if told.SDPMid != nil && *told.SDPMid != "" {
			mid = *told.SDPMid
		}
	}
	tell("candidate", object{"session": s.name, "candidate": value, "mid": mid})
}

func (s *session) describe(p params) (object, *refusal) {
	s.mu.Lock()
	s.trickling = p.Trickle
	s.mu.Unlock()
	var made webrtc.SessionDescription
	var err error
	code := internal
	if s.connection.SignalingState() != webrtc.SignalingStateHaveRemoteOffer {
		made, err = s.connection.CreateOffer(&webrtc.OfferOptions{ICERestart: s.restarting})
	} else {
		made, err = s.connection.CreateAnswer(nil)
		code = rejected // of what was offered
	}
	if err != nil {
		return nil, refuse(code, "%v", err)
	}
	s.restarting = false
	gathered := webrtc.GatheringCompletePromise(s.connection)
	if err = s.connection.SetLocalDescription(made); err != nil {
		return nil, refuse(internal, "%v", err)
	}
	if !p.Trickle {
		<-gathered
		made = *s.connection.LocalDescription()
	}
	return object{"type": made.Type.String(), "sdp": made.SDP}, nil
}

func (s *session) accept(p params) *refusal {
	err := s.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.NewSDPType(p.Type), SDP: p.SDP})
	if err != nil {
		return refuse(rejected, "%v", err)
	}
	return nil
}

func (s *session) trickle(p params) *refusal {
	if err := s.connection.AddICECandidate(webrtc.ICECandidateInit{Candidate: p.Candidate, SDPMid: &p.Mid}); err != nil {
		return refuse(rejected, "%v", err)
	}
	return nil
}

func (s *session) send(p params) *refusal {
	octets, err := base64.StdEncoding.DecodeString(p.Data)
	if err != nil {
		return refuse(noParams, "%v", err)
	}
	s.mu.Lock()
	channel := s.channel
	s.mu.Unlock()
	if channel == nil || channel.ReadyState() != webrtc.DataChannelStateOpen {
		return refuse(internal, "the data channel is not open")
	}
	if err = channel.Send(octets); err != nil {
		return refuse(internal, "%v", err)
	}
	return nil
}

func (s *session) close() {
	_ = s.connection.Close()
	go func() { _ = s.mux.Close() }() // waits for connections that never sent anything
}

func (s *session) restart() *refusal {
	s.restarting = true
	return nil
}

func main() {
	loggers.Writer = os.Stderr
	loggers.DefaultLogLevel = logging.LogLevelInfo
	converse("pion/webrtc", pics, func(name string) stack { return &session{name: name} })
}
