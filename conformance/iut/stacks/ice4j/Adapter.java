// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter of ice4j: an Agent with one stream for each session. ice4j accepts TCP connections by a TcpHarvester, at every
// address but loopback and link-local ones; it opens none. A connection that stalls in a frame stops a harvester's one reading
// thread: each session has one of its own, so that no other pays for that. Its caller sets the role and writes the SDP (role: adapter, sdp: candidates). That includes the candidate attributes, of the values that ice4j has chosen: its own
// CandidateAttribute leaves the tcptype out, so that its users write them themselves.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.ice4j.Transport;
import org.ice4j.TransportAddress;
import org.ice4j.ice.Agent;
import org.ice4j.ice.CandidateTcpType;
import org.ice4j.ice.CandidateType;
import org.ice4j.ice.Component;
import org.ice4j.ice.IceMediaStream;
import org.ice4j.ice.KeepAliveStrategy;
import org.ice4j.ice.LocalCandidate;
import org.ice4j.ice.RemoteCandidate;
import org.ice4j.ice.harvest.TcpHarvester;
import org.json.simple.JSONArray;
import org.json.simple.JSONObject;
import org.json.simple.JSONValue;

public final class Adapter {
    private static final int NO_METHOD = -32601, NO_PARAMS = -32602, REJECTED = -32010, INTERNAL = -32603;
    private static final List<String> METHODS = List.of("open", "describe", "accept", "trickle", "send", "close");
    private static final Map<String, Session> SESSIONS = new ConcurrentHashMap<>();
    private static final CompletableFuture<TcpHarvester> FIRST_HARVESTER = new CompletableFuture<>();
    private static final AtomicBoolean FIRST_IS_TAKEN = new AtomicBoolean();
    private static PrintStream out;

    private static final class Refused extends Exception {
        final int code;

        Refused(int code, String text) {
            super(text);
            this.code = code;
        }
    }

    private static JSONObject object(Object... pairs) {
        JSONObject made = new JSONObject();
        for (int n = 0; n < pairs.length; n += 2) {
            put(made, pairs[n], pairs[n + 1]);
        }
        return made;
    }

    @SuppressWarnings("unchecked")
    private static void put(JSONObject object, Object key, Object value) {
        object.put(key, value);
    }

    @SuppressWarnings("unchecked")
    private static JSONArray array(Object... values) {
        JSONArray made = new JSONArray();
        made.addAll(List.of(values));
        return made;
    }

    private static synchronized void write(JSONObject line) {
        put(line, "jsonrpc", "2.0");
        out.println(line.toJSONString());
        out.flush();
    }

    private static void tell(String method, JSONObject params) {
        write(object("method", method, "params", params));
    }

    private static JSONObject hello() {
        String version = "";
        try (InputStream said = Adapter.class.getResourceAsStream("/version")) { // written by the build
            version = said == null ? "" : new String(said.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException error) {
            System.err.println(error);
        }
        JSONObject pics = object(
            "agent", array("full"), "sides", array("offerer", "answerer"), "offers", array("passive"), "connects", array("passive"),
            "transports", array("tcp", "udp"), "families", array(4, 6), "obeys", array("transports"),
            "role", "adapter", "components", 1, "restart", false, "trickle", true, "consent", true, "sdp", "candidates",
            "profile", "plain", "payload", "raw", "reports", array("state", "data"), "sessions", 64);
        return object("name", "ice4j", "version", version, "pics", pics);
    }

    /** A session's own harvester, with a port of its own. The first takes seconds: it is begun before it is asked for. */
    private static TcpHarvester harvester() throws Exception {
        return FIRST_IS_TAKEN.getAndSet(true) ? makeHarvester() : FIRST_HARVESTER.get();
    }

    private static TcpHarvester makeHarvester() {
        try {
            int port;
            try (ServerSocket free = new ServerSocket(0)) {
                port = free.getLocalPort();
            }
            return new TcpHarvester(port, false);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static String attribute(String sdp, String name) {
        return sdp.lines().filter(line -> line.startsWith("a=" + name + ":")).findFirst()
            .map(line -> line.substring(name.length() + 3)).orElse(null);
    }

    private static final class Session {
        final String name;
        final ExecutorService calls = Executors.newSingleThreadExecutor(Session::daemon);
        private boolean offering;
        private Agent agent;
        private TcpHarvester harvester;
        private IceMediaStream stream;

        Session(String name) {
            this.name = name;
        }

        private static Thread daemon(Runnable work) {
            Thread thread = new Thread(work);
            thread.setDaemon(true);
            return thread;
        }

        JSONObject perform(String method, JSONObject p) throws Exception {
            return switch (method) {
                case "open" -> open(p);
                case "describe" -> describe(p);
                case "accept" -> accept(p);
                case "trickle" -> trickle(p);
                case "send" -> send(p);
                default -> close();
            };
        }

        private JSONObject open(JSONObject p) throws Exception {
            JSONArray servers = (JSONArray) p.get("ice_servers");
            if ("bytes".equals(p.get("media")) || "lite".equals(p.get("agent")) || servers != null && !servers.isEmpty()) {
                throw new Refused(NO_PARAMS, "packets, full ICE, host candidates: more is not driven");
            }
            JSONArray transports = (JSONArray) p.get("transports");
            offering = "offerer".equals(p.get("side"));
            agent = new Agent();
            agent.setControlling(offering);
            agent.setUseDynamicPorts(transports == null || transports.isEmpty() || transports.contains("udp"));
            agent.setTrickling(true);
            agent.setPerformConsentFreshness(true);
            if (transports == null || transports.isEmpty() || transports.contains("tcp")) {
                harvester = harvester();
                agent.addCandidateHarvester(harvester);
            }
            agent.addStateChangeListener(event -> told(String.valueOf(event.getNewValue())));
            stream = agent.createMediaStream("0");
            Object count = p.get("components");
            for (long n = 0; n < (count == null ? 1 : (Long) count); n++) {
                Component component = agent.createComponent(stream, KeepAliveStrategy.SELECTED_ONLY, true);
                daemon(() -> receive(component)).start();
            }
            return object();
        }

        /** Tell what comes over the component's socket, until it is closed. */
        private void receive(Component component) {
            DatagramSocket socket = component.getSocket();
            DatagramPacket packet = new DatagramPacket(new byte[1 << 16], 1 << 16);
            try {
                while (!socket.isClosed()) {
                    socket.receive(packet);
                    byte[] octets = Arrays.copyOfRange(packet.getData(), packet.getOffset(), packet.getOffset() + packet.getLength());
                    String text = Base64.getEncoder().encodeToString(octets);
                    tell("data", object("session", name, "component", component.getComponentID(), "data", text));
                    packet.setData(new byte[1 << 16]);
                }
            } catch (IOException error) {
                System.err.println(name + ": " + error);
            }
        }

        private void told(String state) {
            String word = Map.of("Running", "checking", "Completed", "completed", "Failed", "failed").get(state);
            if (word != null) {
                tell("state", object("session", name, "state", word));
            }
        }

        /** Write the SDP. The first TCP candidate stands in the m-line. */
        private JSONObject describe(JSONObject p) {
            StringBuilder candidates = new StringBuilder();
            TransportAddress first = null;
            for (Component component : stream.getComponents()) {
                for (LocalCandidate candidate : component.getLocalCandidates()) {
                    candidates.append(written(candidate, component));
                    if (first == null && candidate.getTransport() == Transport.TCP) {
                        first = candidate.getTransportAddress();
                    }
                }
            }
            String address = first == null ? "0.0.0.0" : first.getHostAddress();
            String place = "IN " + (address.contains(":") ? "IP6 " : "IP4 ") + address;
            String sdp = "v=0\r\no=- 1 1 " + place + "\r\ns=-\r\nt=0 0\r\n"
                + "m=audio " + (first == null ? 9 : first.getPort()) + " TCP/RTP/AVP 0\r\nc=" + place + "\r\na=mid:0\r\n"
                + (stream.getComponentCount() == 1 ? "b=RS:0\r\nb=RR:0\r\n" : "") + "a=setup:passive\r\na=connection:new\r\n"
                + "a=ice-ufrag:" + agent.getLocalUfrag() + "\r\na=ice-pwd:" + agent.getLocalPassword() + "\r\n" + candidates;
            if (Boolean.TRUE.equals(p.get("trickle"))) {
                tell("candidate", object("session", name, "candidate", "", "mid", "0")); // all are in the description
            }
            return object("type", offering ? "offer" : "answer", "sdp", sdp);
        }

        private static String written(LocalCandidate candidate, Component component) {
            TransportAddress address = candidate.getTransportAddress();
            String line = "a=candidate:" + candidate.getFoundation() + " " + component.getComponentID() + " " + candidate.getTransport()
                + " " + candidate.getPriority() + " " + address.getHostAddress() + " " + address.getPort() + " typ " + candidate.getType();
            return line + (candidate.getTcpType() == null ? "" : " tcptype " + candidate.getTcpType()) + "\r\n";
        }

        private JSONObject accept(JSONObject p) throws Refused {
            String sdp = (String) p.get("sdp"), ufrag = attribute(sdp, "ice-ufrag"), pwd = attribute(sdp, "ice-pwd");
            if (ufrag == null || pwd == null) {
                throw new Refused(REJECTED, "no ICE credentials");
            }
            if (stream.getRemoteUfrag() != null) {
                throw new Refused(NO_PARAMS, "ice4j has neither restarts nor later descriptions");
            }
            stream.setRemoteUfrag(ufrag);
            stream.setRemotePassword(pwd);
            if (sdp.lines().anyMatch("a=ice-lite"::equals)) {
                agent.setControlling(true);
            }
            for (String line : sdp.lines().filter(one -> one.startsWith("a=candidate:")).toList()) {
                add(line.substring("a=candidate:".length()), false);
            }
            agent.startConnectivityEstablishment();
            return object();
        }

        /** Give a candidate to its component, which ice4j leaves to its users to parse. */
        private void add(String value, boolean later) throws Refused {
            try {
                String[] words = value.trim().split(" +");
                Component component = stream.getComponent(Integer.parseInt(words[1]));
                if (component == null) {
                    return;
                }
                String type = "", kind = "", related = null, relatedPort = null;
                for (int n = 6; n + 1 < words.length; n += 2) {
                    switch (words[n].toLowerCase()) {
                        case "typ" -> kind = words[n + 1];
                        case "tcptype" -> type = words[n + 1];
                        case "raddr" -> related = words[n + 1];
                        case "rport" -> relatedPort = words[n + 1];
                        default -> { }
                    }
                }
                Transport transport = Transport.parse(words[2].toLowerCase());
                TransportAddress address = new TransportAddress(words[4], Integer.parseInt(words[5]), transport);
                RemoteCandidate base = null;
                if (related != null && relatedPort != null) {
                    base = component.findRemoteCandidate(new TransportAddress(related, Integer.parseInt(relatedPort), transport));
                }
                RemoteCandidate candidate = new RemoteCandidate(
                    address, component, CandidateType.parse(kind), words[0], Long.parseLong(words[3]), base);
                if (!type.isEmpty()) {
                    candidate.setTcpType(CandidateTcpType.parse(type.toLowerCase()));
                }
                if (later) {
                    component.addUpdateRemoteCandidates(candidate);
                } else {
                    component.addRemoteCandidate(candidate);
                }
            } catch (IllegalArgumentException | IndexOutOfBoundsException error) {
                throw new Refused(REJECTED, error.toString());
            }
        }

        private JSONObject trickle(JSONObject p) throws Refused {
            String candidate = (String) p.get("candidate");
            if (!candidate.isEmpty()) {
                add(candidate.replaceFirst("^candidate:", ""), true);
                stream.getComponents().forEach(Component::updateRemoteCandidates);
            }
            return object();
        }

        private JSONObject send(JSONObject p) throws IOException {
            byte[] octets = Base64.getDecoder().decode((String) p.get("data"));
            Object number = p.get("component");
            stream.getComponent(number == null ? 1 : ((Long) number).intValue()).send(octets, 0, octets.length);
            return object();
        }

        private JSONObject close() {
            agent.free();
            if (harvester != null) {
                harvester.close();
            }
            return object();
        }
    }

    private static void answer(Object id, JSONObject result) {
        write(object("id", id, "result", result));
    }

    private static void refuse(Object id, int code, String text) {
        write(object("id", id, "error", object("code", code, "message", text)));
    }

    private static void serve(Session session, Object id, String method, JSONObject params) {
        try {
            answer(id, session.perform(method, params));
        } catch (Refused refused) {
            refuse(id, refused.code, refused.getMessage());
        } catch (Exception error) {
            error.printStackTrace();
            refuse(id, INTERNAL, error.toString());
        }
        if (method.equals("close")) {
            session.calls.shutdown();
        }
    }

    public static void main(String[] arguments) throws IOException {
        out = System.out;
        System.setOut(System.err); // of libraries that print
        System.setProperty("ice4j.harvest.mapping.aws.enabled", "false");
        System.setProperty("ice4j.harvest.use-link-local-addresses", "false");
        FIRST_HARVESTER.completeAsync(Adapter::makeHarvester);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JSONObject call = (JSONObject) JSONValue.parse(line);
            Object id = call.get("id");
            String method = (String) call.get("method");
            JSONObject params = call.get("params") instanceof JSONObject given ? given : object();
            String name = (String) params.get("session");
            if (method.equals("hello")) {
                answer(id, hello());
            } else if (!METHODS.contains(method)) {
                refuse(id, NO_METHOD, "no such method");
            } else {
                if (method.equals("open")) {
                    SESSIONS.put(name, new Session(name));
                }
                Session session = method.equals("close") ? SESSIONS.remove(name) : SESSIONS.get(name);
                if (session == null) {
                    refuse(id, NO_PARAMS, "no such session");
                } else {
                    session.calls.execute(() -> serve(session, id, method, params));
                }
            }
        }
        System.exit(0);
    }
}
