// SPDX-License-Identifier: GPL-2.0-or-later
// A WHIP and WHEP server (RFC 9725 and its companion draft) of pion/webrtc 4 and Go's net/http, for ICE-TCP alone.
//
// It listens on a port for HTTP, and on one for the TCP candidates of each session: a multiplexer that connections have
// brought to a standstill stops no other session. Its first line on stdout says its URL; it ends when its stdin does. POST makes a session, PATCH restarts ICE if it has other credentials (If-Match: *), else
// it adds candidates (If-Match: the session's ETag), DELETE ends it.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

const (
	sdpType      = "application/sdp"
	fragmentType = "application/trickle-ice-sdpfrag"
)

var version = "4"

// session is one PeerConnection that a POST has made; etag names its present ICE session.
type session struct {
	mu         sync.Mutex
	connection *webrtc.PeerConnection
	mux        ice.TCPMux
	etag       string
}

type server struct {
	address  net.IP // of the candidates; nil: all
	mu       sync.Mutex
	sessions map[string]*session
}

func token() string {
	octets := make([]byte, 12)
	_, _ = rand.Read(octets)
	return hex.EncodeToString(octets)
}

// connect makes a PeerConnection with a multiplexer of its own.
func (s *server) connect() (*session, error) {
	loggers := logging.NewDefaultLoggerFactory()
	loggers.Writer = os.Stderr
	loggers.DefaultLogLevel = logging.LogLevelInfo
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: s.address})
	if err != nil {
		return nil, err
	}
	mux := webrtc.NewICETCPMux(loggers.NewLogger("mux"), listener, 32)
	engine := webrtc.SettingEngine{LoggerFactory: loggers}
	engine.SetICETCPMux(mux)
	engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6})
	engine.SetIncludeLoopbackCandidate(true)
	engine.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if s.address != nil {
		engine.SetIPFilter(func(candidate net.IP) bool { return candidate.Equal(s.address) })
	}
	media := &webrtc.MediaEngine{}
	if err = media.RegisterDefaultCodecs(); err != nil {
		_ = mux.Close()
		return nil, err
	}
	api := webrtc.NewAPI(webrtc.WithSettingEngine(engine), webrtc.WithMediaEngine(media))
	connection, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		_ = mux.Close()
		return nil, err
	}
	return &session{connection: connection, mux: mux, etag: `"` + token() + `"`}, nil
}

func (s *session) close() {
	_ = s.connection.Close()
	go func() { _ = s.mux.Close() }() // waits for connections that never sent anything
}

// post takes an offer. Of WHIP the client sends and the server receives, of WHEP the other way round.
func (s *server) post(w http.ResponseWriter, r *http.Request, whep bool) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != sdpType {
		http.Error(w, "the offer must be "+sdpType, http.StatusUnsupportedMediaType)
		return
	}
	offer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	made, err := s.connect()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if whep {
		codec := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
		track, err := webrtc.NewTrackLocalStaticSample(codec, "audio", "icetcp")
		if err == nil {
			_, err = made.connection.AddTrack(track)
		}
		if err != nil {
			made.close()
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	answer, err := negotiate(made.connection, string(offer))
	if err != nil {
		made.close()
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	name := token()
	s.mu.Lock()
	s.sessions[name] = made
	s.mu.Unlock()
	w.Header().Set("Content-Type", sdpType)
	w.Header().Set("Location", "/session/"+name)
	w.Header().Set("ETag", made.etag)
	w.Header().Set("Accept-Patch", fragmentType)
	w.WriteHeader(http.StatusCreated)
	fmt.Fprint(w, answer)
}

func negotiate(connection *webrtc.PeerConnection, offer string) (string, error) {
	if err := connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := connection.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(connection)
	if err = connection.SetLocalDescription(answer); err != nil {
		return "", err
	}
	<-gathered
	return connection.LocalDescription().SDP, nil
}

// ofICE tells the lines of a description that a fragment holds anew.
func ofICE(line string) bool {
	for _, name := range []string{"a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=end-of-candidates"} {
		if strings.HasPrefix(line, name) {
			return true
		}
	}
	return false
}

func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' })
}

func value(text, name string) string {
	for _, line := range lines(text) {
		if strings.HasPrefix(line, "a="+name+":") {
			return line[len(name)+3:]
		}
	}
	return ""
}

// renewed is a description with what a fragment says of ICE in place of its own: in each of its sections, as BUNDLE asks.
func renewed(sdp, fragment string) string {
	var kept, told []string
	for _, line := range lines(fragment) {
		if ofICE(line) {
			told = append(told, line)
		}
	}
	inSection := false
	for _, line := range append(lines(sdp), "m=") {
		if strings.HasPrefix(line, "m=") {
			if inSection {
				kept = append(kept, told...)
			}
			inSection = true
		}
		if !ofICE(line) && line != "m=" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\r\n") + "\r\n"
}

// ofTheSession tells the lines before the first section that a fragment repeats.
func ofTheSession(line string) bool {
	for _, name := range []string{"a=ice-lite", "a=ice-options:", "a=ice-pacing:", "a=group:"} {
		if strings.HasPrefix(line, name) {
			return true
		}
	}
	return false
}

// fragmentOf is what a restart's response says of an answer: credentials, and the candidates of the first section.
func fragmentOf(answer string) string {
	text := "a=ice-ufrag:" + value(answer, "ice-ufrag") + "\r\na=ice-pwd:" + value(answer, "ice-pwd") + "\r\n"
	sections := 0
	for _, line := range lines(answer) {
		if strings.HasPrefix(line, "m=") {
			sections++
		}
		if sections == 0 && ofTheSession(line) {
			text += line + "\r\n"
		}
		if sections == 1 && (strings.HasPrefix(line, "m=") || strings.HasPrefix(line, "a=mid:") || strings.HasPrefix(line, "a=candidate:") || line == "a=end-of-candidates") {
			text += line + "\r\n"
		}
	}
	return text
}

func (s *server) patch(w http.ResponseWriter, r *http.Request, found *session) {
	found.mu.Lock()
	defer found.mu.Unlock()
	match := r.Header.Get("If-Match")
	switch {
	case r.Header.Get("Content-Type") != fragmentType:
		http.Error(w, "a PATCH must be "+fragmentType, http.StatusUnsupportedMediaType)
		return
	case match == "":
		http.Error(w, "a PATCH must have If-Match", http.StatusPreconditionRequired)
		return
	case match != "*" && match != found.etag:
		http.Error(w, "another ICE session has begun", http.StatusPreconditionFailed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fragment, remote := string(body), found.connection.RemoteDescription().SDP
	if said := value(fragment, "ice-ufrag"); said != "" && said != value(remote, "ice-ufrag") {
		answer, err := negotiate(found.connection, renewed(remote, fragment))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		found.etag = `"` + token() + `"`
		w.Header().Set("Content-Type", fragmentType)
		w.Header().Set("ETag", found.etag)
		fmt.Fprint(w, fragmentOf(answer))
		return
	}
	mid := value(fragment, "mid")
	for _, line := range lines(fragment) {
		if strings.HasPrefix(line, "a=candidate:") {
			err := found.connection.AddICECandidate(webrtc.ICECandidateInit{Candidate: line[2:], SDPMid: &mid})
			if err != nil && !errors.Is(err, ice.ErrAddressParseFailed) { // an address that cannot be resolved is passed over
				http.Error(w, err.Error(), http.StatusUnprocessableEntity)
				return
			}
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) session(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s.mu.Lock()
	found, known := s.sessions[name]
	if r.Method == http.MethodDelete {
		delete(s.sessions, name)
	}
	s.mu.Unlock()
	switch {
	case !known:
		http.NotFound(w, r)
	case r.Method == http.MethodDelete:
		found.close()
	case r.Method == http.MethodPatch:
		s.patch(w, r, found)
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "GET, PATCH, DELETE")
		http.Error(w, "PATCH or DELETE", http.StatusMethodNotAllowed)
	}
}

// endpoint serves the URL of WHIP or WHEP. Neither resource has a representation: a GET succeeds without content.
func (s *server) endpoint(whep bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPost:
			s.post(w, r, whep)
		case http.MethodOptions:
			w.Header().Set("Accept-Post", sdpType)
		case http.MethodGet:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Allow", "GET, OPTIONS, POST")
			http.Error(w, "POST", http.StatusMethodNotAllowed)
		}
	}
}

func main() {
	address := flag.String("address", "", "of the candidates; nothing: all")
	listen := flag.String("http", "127.0.0.1:0", "of HTTP")
	path := flag.String("path", "whip", "whip or whep: which URL to say")
	flag.Parse()
	s := &server{address: net.ParseIP(*address), sessions: map[string]*session{}}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	http.HandleFunc("/whip", s.endpoint(false))
	http.HandleFunc("/whep", s.endpoint(true))
	http.HandleFunc("/session/{name}", s.session)
	go func() {
		_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
			"url": "http://" + listener.Addr().String() + "/" + *path, "pics": map[string]any{"transports": []string{"tcp"}}, "name": "pion/webrtc " + strings.ToUpper(*path), "version": version,
		})
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Fprintln(os.Stderr, http.Serve(listener, nil))
}
