// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter contract's half of every adapter in Go: lines of JSON-RPC, and the calls of a session in order. What is of
// a stack stands in its adapter.go, which the build compiles together with this file.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
)

const (
	noMethod = -32601
	noParams = -32602
	rejected = -32010
	internal = -32603
)

type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func refuse(code int, format string, words ...interface{}) *refusal {
	return &refusal{code, fmt.Sprintf(format, words...)}
}

type params struct {
	Session    string   `json:"session"`
	Side       string   `json:"side"`
	Agent      string   `json:"agent"`
	Role       string   `json:"role"`
	Component  int      `json:"component"`
	Components int      `json:"components"`
	Media      string   `json:"media"`
	Addresses  []string `json:"addresses"`
	Transports []string `json:"transports"`
	Type       string   `json:"type"`
	SDP        string   `json:"sdp"`
	Candidate  string   `json:"candidate"`
	Mid        string   `json:"mid"`
	Data       string   `json:"data"`
	Trickle    bool     `json:"trickle"`
	Servers    []struct {
		URL        string `json:"url"`
		Username   string `json:"username"`
		Credential string `json:"credential"`
	} `json:"ice_servers"`
}

type object = map[string]interface{}

type call struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params params          `json:"params"`
}

// stack is what an adapter does for one session; its calls come one after the other.
type stack interface {
	open(params) *refusal
	describe(params) (object, *refusal)
	accept(params) *refusal
	trickle(params) *refusal
	send(params) *refusal
	restart() *refusal
	close()
}

var (
	version string // the build writes it
	out     sync.Mutex
	encoder = json.NewEncoder(os.Stdout)
)

func write(line object) {
	out.Lock()
	defer out.Unlock()
	line["jsonrpc"] = "2.0"
	if encoder.Encode(line) != nil {
		os.Exit(0) // nobody listens any more
	}
}

func tell(method string, what object) { write(object{"method": method, "params": what}) }

func answer(c call, result object, refused *refusal) {
	if refused != nil {
		write(object{"id": c.ID, "error": refused})
	} else {
		write(object{"id": c.ID, "result": result})
	}
}

const methods = " open describe accept trickle send restart close "

// converse serves the calls on stdin until it ends; create begins a session of this name.
func converse(name string, pics object, create func(session string) stack) {
	var mu sync.Mutex
	sessions := map[string]chan call{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fmt.Fprintln(os.Stderr, "no JSON-RPC:", err)
			continue
		}
		if c.Method == "hello" {
			answer(c, object{"name": name, "version": version, "pics": pics}, nil)
			continue
		}
		if c.Params.Session == "" || !strings.Contains(methods, " "+c.Method+" ") {
			answer(c, nil, refuse(noMethod, "no such method"))
			continue
		}
		mu.Lock()
		calls, known := sessions[c.Params.Session]
		if c.Method == "open" && !known {
			calls, known = make(chan call, 64), true
			sessions[c.Params.Session] = calls
			go func(session string) {
				serve(create(session), calls, func() {
					mu.Lock()
					defer mu.Unlock()
					delete(sessions, session)
				})
			}(c.Params.Session)
		}
		mu.Unlock()
		if known {
			calls <- c
		} else {
			answer(c, nil, refuse(noParams, "no such session"))
		}
	}
}

// serve takes the calls of a session until it is closed, or could not be opened. Then it is forgotten before that is
// answered: whoever has the answer may open a session of the same name.
func serve(s stack, calls <-chan call, forget func()) {
	for c := range calls {
		result := object{}
		var refused *refusal
		switch c.Method {
		case "open":
			refused = s.open(c.Params)
		case "describe":
			result, refused = s.describe(c.Params)
		case "accept":
			refused = s.accept(c.Params)
		case "trickle":
			refused = s.trickle(c.Params)
		case "send":
			refused = s.send(c.Params)
		case "restart":
			refused = s.restart()
		case "close":
			s.close()
		}
		last := c.Method == "close" || c.Method == "open" && refused != nil
		if last {
			forget()
		}
		answer(c, result, refused)
		if last {
			return
		}
	}
}
