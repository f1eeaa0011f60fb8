/* icetcp's adapter for libnice: the contract of conformance/iut/README.md, version 1.
 *
 * libnice leaves to its caller: the role (property controlling-mode), everything in the SDP but the candidate
 * attributes, ufrag and pwd, and noticing that an offer restarts ICE (see nice_agent_restart). This file does those
 * and nothing else: what the tester's description says goes to libnice's own parser, what libnice says goes out
 * unchanged. One NiceAgent per session, all of them in one main loop.
 *
 * NICE_DEBUG=all in the environment makes libnice explain itself on stderr.
 *
 * Copyright: the icetcp authors. License: GPL-2.0-or-later.
 */
#include <glib-unix.h>

#include "remote.h"
#include "rpc.h"

enum { PROTOCOL = 1, SESSIONS = 32, STREAMS = 4, COMPONENTS = 16, DISCARD_PORT = 9, RTCP = 2, DECIDES = 15 };

#define CLOSED "the session was closed"
#define MEDIA_RTP "audio %u TCP/RTP/AVP 0"
#define MEDIA_BYTES "application %u TCP octet-stream"

typedef struct {
  gchar *host, *username, *password;
  guint port;
} Relay;

/* A stream of libnice's. Its place in the session is that of its media section in the descriptions. */
typedef struct {
  guint id;             /* libnice counts from 1 */
  GString *candidates;  /* as gathered; libnice's list grows peer-reflexive ones, which no description holds */
} Stream;

typedef struct {
  gchar *name;
  gboolean offerer, lite, bytes, tcp, udp;
  guint components;
  GSList *addresses;    /* NiceAddress */
  GSList *relays;       /* Relay: libnice takes several */
  NiceAgent *agent;     /* made when the first description tells whether candidates will trickle */
  GPtrArray *streams;   /* Stream; NULL for a section that the tester does not use, or that is one too many */
  guint wanted;         /* so many streams an offer of ours has */
  gboolean trickle;     /* the agent was made for that */
  gboolean described;   /* with trickle: what comes now is notified */
  Remote *remote;       /* the last description of the tester */
  gboolean owes_answer; /* it is an offer that was not answered yet */
  JsonNode *describing; /* id of a describe that waits for gathering */
  GQueue queue;         /* calls that came meanwhile: a session's calls are served in order */
} Session;

static GMainLoop *loop;
static GHashTable *sessions;

/* -- the agent -------------------------------------------------------------------------------------------------- */

static void stream_free(gpointer data)
{
  Stream *stream = data;
  if (!stream) return;
  if (stream->candidates) g_string_free(stream->candidates, TRUE);
  g_free(stream);
}

static Stream *stream_of(Session *s, guint n)
{
  return n < s->streams->len ? g_ptr_array_index(s->streams, n) : NULL;
}

/* The place of a stream that libnice names. */
static guint place_of(Session *s, guint id)
{
  for (guint n = 0; n < s->streams->len; n++)
    if (stream_of(s, n) && stream_of(s, n)->id == id) return n;
  return 0;
}

static gboolean gathered(Session *s)
{
  for (guint n = 0; n < s->streams->len; n++)
    if (stream_of(s, n) && !stream_of(s, n)->candidates) return FALSE;
  return s->agent != NULL;
}

static const gchar *mid_of(Session *s, guint n)
{
  static const gchar *const numbers[STREAMS] = { "0", "1", "2", "3" };
  Section *section = section_of(s->remote, n);
  return section && section->mid ? section->mid : numbers[n];
}

static GString *list_candidates(Session *s, guint stream)
{
  GString *sdp = g_string_new(NULL);
  for (guint c = 1; c <= s->components; c++) {
    GSList *list = nice_agent_get_local_candidates(s->agent, stream, c);
    for (GSList *i = list; i; i = i->next) {
      g_autofree gchar *line = nice_agent_generate_local_candidate_sdp(s->agent, i->data);
      g_string_append_printf(sdp, "%s\r\n", line);
    }
    g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
  }
  return sdp;
}

static void answer_describe(Session *s, JsonNode *id);
static void serve(Session *s, JsonObject *request);

/* Gathering ends inside libnice's calls; what waits for it goes on from the main loop. */
static gboolean go_on(gpointer data)
{
  g_autofree gchar *name = data;
  Session *s = g_hash_table_lookup(sessions, name);
  if (!s || !gathered(s)) return G_SOURCE_REMOVE;
  if (s->described) {
    s->described = FALSE;
    JsonBuilder *b = begin_notification("candidate", s->name);
    member(b, "candidate", "");
    end(b);
  }
  if (s->describing) {
    g_autoptr(JsonNode) id = g_steal_pointer(&s->describing);
    answer_describe(s, id);
  }
  JsonObject *request;
  while ((s = g_hash_table_lookup(sessions, name)) && !s->describing && (request = g_queue_pop_head(&s->queue))) {
    serve(s, request);
    json_object_unref(request);
  }
  return G_SOURCE_REMOVE;
}

static void on_gathering_done(NiceAgent *agent, guint stream, gpointer data)
{
  Session *s = data;
  Stream *done_with = stream_of(s, place_of(s, stream));
  (void)agent;
  if (done_with && !done_with->candidates) done_with->candidates = list_candidates(s, stream);
  g_idle_add_full(G_PRIORITY_DEFAULT, go_on, g_strdup(s->name), NULL);
}

static void on_candidate(NiceAgent *agent, NiceCandidate *candidate, gpointer data)
{
  Session *s = data;
  if (!s->described) return; /* the description will hold it */
  g_autofree gchar *line = nice_agent_generate_local_candidate_sdp(agent, candidate);
  JsonBuilder *b = begin_notification("candidate", s->name);
  member(b, "candidate", line + strlen("a="));
  member(b, "mid", mid_of(s, place_of(s, candidate->stream_id)));
  end(b);
}

/* Says of which stream a notification is, if not of the first. */
static void member_stream(JsonBuilder *b, Session *s, guint stream)
{
  guint n = place_of(s, stream);
  if (n) member_int(b, "stream", n);
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer data)
{
  static const gchar *const words[] = {
    [NICE_COMPONENT_STATE_DISCONNECTED] = "disconnected", [NICE_COMPONENT_STATE_GATHERING] = "new",
    [NICE_COMPONENT_STATE_CONNECTING] = "checking",       [NICE_COMPONENT_STATE_CONNECTED] = "connected",
    [NICE_COMPONENT_STATE_READY] = "completed",           [NICE_COMPONENT_STATE_FAILED] = "failed",
  };
  (void)agent;
  if (state >= G_N_ELEMENTS(words)) return;
  JsonBuilder *b = begin_notification("state", ((Session *)data)->name);
  member(b, "state", words[state]);
  member_int(b, "component", component);
  member_stream(b, data, stream);
  end(b);
}

static void on_selected(NiceAgent *agent, guint stream, guint component, NiceCandidate *local,
                        NiceCandidate *remote, gpointer data)
{
  g_autofree gchar *ours = nice_agent_generate_local_candidate_sdp(agent, local);
  g_autofree gchar *theirs = nice_agent_generate_local_candidate_sdp(agent, remote);
  JsonBuilder *b = begin_notification("selected", ((Session *)data)->name);
  member_int(b, "component", component);
  member_stream(b, data, stream);
  member(b, "local", ours + strlen("a="));
  member(b, "remote", theirs + strlen("a="));
  end(b);
}

static void on_data(NiceAgent *agent, guint stream, guint component, guint length, gchar *octets, gpointer data)
{
  (void)agent;
  g_autofree gchar *text = g_base64_encode((guchar *)octets, length);
  JsonBuilder *b = begin_notification("data", ((Session *)data)->name);
  member_int(b, "component", component);
  member_stream(b, data, stream);
  member(b, "data", text);
  end(b);
}

/* Adds a stream, and lets libnice gather its candidates. */
static gboolean add_stream(Session *s)
{
  Stream *stream = g_new0(Stream, 1);
  stream->id = nice_agent_add_stream(s->agent, s->components);
  g_ptr_array_add(s->streams, stream);
  for (GSList *r = s->relays; r; r = r->next) {
    Relay *relay = r->data;
    for (guint c = 1; c <= s->components; c++)
      nice_agent_set_relay_info(s->agent, stream->id, c, relay->host, relay->port, relay->username, relay->password,
                                NICE_RELAY_TYPE_TURN_TCP);
  }
  for (guint c = 1; c <= s->components; c++) nice_agent_attach_recv(s->agent, stream->id, c, NULL, on_data, s);
  return nice_agent_gather_candidates(s->agent, stream->id);
}

/* Has a stream for each section of the tester's that is in use, as far as they go; or as many as our offer shall have. */
static gboolean have_streams(Session *s, Remote *remote)
{
  guint wanted = remote ? MIN(remote->sections->len, STREAMS) : s->wanted;
  while (s->streams->len < wanted) {
    Section *section = section_of(remote, s->streams->len);
    if (section && !in_use(section) && s->streams->len) g_ptr_array_add(s->streams, NULL);
    else if (!add_stream(s)) return FALSE;
  }
  return TRUE;
}

/* Makes the agent and lets it gather.
 *
 * The role (RFC 8445 section 6.1.1): the offerer controls, but beside a lite agent the full one does. libnice takes it
 * only before it gathers, so that a lite offerer has to take its peer for a full one.
 */
static gboolean start(Session *s, gboolean trickle, Remote *remote)
{
  gboolean controlling = !s->lite && (s->offerer || (remote && remote->lite));
  NiceAgentOption options = NICE_AGENT_OPTION_REGULAR_NOMINATION | NICE_AGENT_OPTION_CONSENT_FRESHNESS;
  if (s->bytes) options |= NICE_AGENT_OPTION_RELIABLE; /* libnice's word for a stream without packets */
  if (s->lite) options |= NICE_AGENT_OPTION_LITE_MODE;
  s->trickle = trickle;
  if (trickle) options |= NICE_AGENT_OPTION_ICE_TRICKLE;
  s->agent = nice_agent_new_full(NULL, NICE_COMPATIBILITY_RFC5245, options);
  g_object_set(s->agent, "ice-tcp", s->tcp, "ice-udp", s->udp, "upnp", FALSE, "controlling-mode", controlling, NULL);
  for (GSList *a = s->addresses; a; a = a->next) nice_agent_add_local_address(s->agent, a->data);
  g_signal_connect(s->agent, "candidate-gathering-done", G_CALLBACK(on_gathering_done), s);
  g_signal_connect(s->agent, "new-candidate-full", G_CALLBACK(on_candidate), s);
  g_signal_connect(s->agent, "component-state-changed", G_CALLBACK(on_state), s);
  g_signal_connect(s->agent, "new-selected-pair-full", G_CALLBACK(on_selected), s);
  return have_streams(s, remote);
}

/* Gives libnice what a section of the tester's says of its stream; its parser has taken that before. */
static void apply_section(Session *s, guint stream, Section *section)
{
  if (!nice_agent_set_remote_credentials(s->agent, stream, section->ufrag, section->pwd))
    g_printerr("%s: nice_agent_set_remote_credentials refused\n", s->name);
  for (guint c = 1; c <= s->components; c++) {
    GSList *list = NULL;
    for (GSList *i = section->candidates; i; i = i->next)
      if (((NiceCandidate *)i->data)->component_id == c) list = g_slist_append(list, i->data);
    if (list) {
      gint added = nice_agent_set_remote_candidates(s->agent, stream, c, list);
      g_printerr("%s: component %u: libnice took %d of %u candidates\n", s->name, c, added, g_slist_length(list));
    }
    g_slist_free(list);
  }
  if (!s->remote->trickle || section->complete) nice_agent_peer_candidate_gathering_done(s->agent, stream);
}

/* A stream goes on, or begins, where the tester uses its section; one that it does without ends. */
static void apply(Session *s)
{
  for (guint n = 0; n < s->streams->len; n++) {
    Stream *stream = stream_of(s, n);
    Section *section = section_of(s->remote, n);
    if (!stream || !section) continue;
    if (in_use(section) || !n) {
      apply_section(s, stream->id, section);
    } else {
      nice_agent_remove_stream(s->agent, stream->id);
      g_clear_pointer(&g_ptr_array_index(s->streams, n), stream_free);
    }
  }
}

/* -- our description ---------------------------------------------------------------------------------------------- */

/* The address of a component's first passive candidate, the default that an answerer can connect to. */
static guint default_port(Session *s, guint stream, guint component, gchar *ip)
{
  guint port = DISCARD_PORT;
  GSList *list = nice_agent_get_local_candidates(s->agent, stream, component);
  for (GSList *i = list; i && port == DISCARD_PORT; i = i->next) {
    NiceCandidate *candidate = i->data;
    if (candidate->transport != NICE_CANDIDATE_TRANSPORT_TCP_PASSIVE) continue;
    nice_address_to_string(&candidate->addr, ip);
    port = nice_address_get_port(&candidate->addr);
  }
  g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
  return port;
}

/* Writes a media section: its own lines, with setup as RFC 4145 section 4.1 lets it be, and what libnice says. */
static void append_media(Session *s, GString *sdp, guint n)
{
  Stream *stream = stream_of(s, n);
  Section *section = s->owes_answer ? section_of(s->remote, n) : NULL;
  gchar ip[NICE_ADDRESS_STRING_LEN] = "0.0.0.0";
  gboolean active = section && !g_strcmp0(section->setup, "passive");
  guint port = default_port(s, stream->id, 1, ip);
  g_autofree gchar *number = g_strdup_printf("%u", active ? DISCARD_PORT : port);
  const gchar *own = s->bytes ? MEDIA_BYTES : MEDIA_RTP;
  g_autofree gchar *media = with_port(section ? section->media : own, number);
  g_autofree gchar *ufrag = NULL, *pwd = NULL;
  g_string_append_printf(sdp, "m=%s\r\nc=IN %s %s\r\n", media, strchr(ip, ':') ? "IP6" : "IP4", ip);
  if (!s->bytes && s->components == 1) g_string_append(sdp, "b=RS:0\r\nb=RR:0\r\n"); /* RFC 8839 section 4.2.2 */
  g_string_append_printf(sdp, "a=setup:%s\r\na=connection:new\r\n", active ? "active" : "passive");
  if (!s->bytes && s->components > 1 && !active)
    g_string_append_printf(sdp, "a=rtcp:%u\r\n", default_port(s, stream->id, RTCP, ip));
  g_string_append_printf(sdp, "a=mid:%s\r\n", mid_of(s, n));
  nice_agent_get_local_credentials(s->agent, stream->id, &ufrag, &pwd);
  g_string_append_printf(sdp, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", ufrag ? ufrag : "", pwd ? pwd : "");
  g_autoptr(GString) early = stream->candidates ? NULL : list_candidates(s, stream->id);
  g_string_append(sdp, early ? early->str : stream->candidates->str);
}

/* Writes a section without a stream, which is not used. */
static void append_unused(Session *s, GString *sdp, guint n)
{
  Section *section = section_of(s->remote, n);
  g_autofree gchar *media = with_port(section ? section->media : s->bytes ? MEDIA_BYTES : MEDIA_RTP, "0");
  g_string_append_printf(sdp, "m=%s\r\n", media);
}

static gchar *describe(Session *s)
{
  GString *sdp = g_string_new("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
  guint sections = s->owes_answer ? s->remote->sections->len : s->streams->len;
  if (s->lite) g_string_append(sdp, "a=ice-lite\r\n");
  if (s->trickle) g_string_append(sdp, "a=ice-options:trickle\r\n");
  for (guint n = 0; n < sections; n++) {
    Section *section = s->owes_answer ? section_of(s->remote, n) : NULL;
    if (!stream_of(s, n) || (n && section && !in_use(section))) append_unused(s, sdp, n);
    else append_media(s, sdp, n);
  }
  return g_string_free(sdp, FALSE);
}

static void answer_describe(Session *s, JsonNode *id)
{
  g_autofree gchar *sdp = describe(s);
  JsonBuilder *b = begin_result(id);
  member(b, "type", s->owes_answer ? "answer" : "offer");
  member(b, "sdp", sdp);
  end(b);
  /* An answerer's checks begin when its answer is under way. */
  if (s->owes_answer) apply(s);
  s->owes_answer = FALSE;
}

/* -- methods ------------------------------------------------------------------------------------------------------ */

static gboolean has_ipv6(void)
{
  g_autoptr(GInetAddress) ip = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV6);
  g_autoptr(GSocketAddress) address = g_inet_socket_address_new(ip, 0);
  g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_IPV6, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  return socket && g_socket_bind(socket, address, FALSE, NULL);
}

static void do_hello(JsonNode *id, JsonObject *params)
{
  if (number_of(params, "protocol", 0) != PROTOCOL) {
    fail(id, INVALID_PARAMS, "only protocol %d is spoken here", PROTOCOL);
    return;
  }
  JsonBuilder *b = begin_result(id);
  member(b, "name", "libnice");
  member(b, "version", LIBNICE_VERSION);
  json_builder_set_member_name(b, "pics");
  json_builder_begin_object(b);
  member_list(b, "agent", "full lite");
  member_list(b, "sides", "offerer answerer");
  member_list(b, "offers", "active passive");
  member_list(b, "connects", "active passive");
  member_list(b, "transports", "tcp udp");
  member_list(b, "families", has_ipv6() ? "4 6" : "4");
  member_list(b, "obeys", "addresses transports"); /* libnice cannot be told which tcptypes to offer */
  member(b, "role", "adapter");
  member_int(b, "decides", DECIDES); /* measured: 8 s at most, with checks that fail */
  member_int(b, "components", COMPONENTS);
  member_int(b, "streams", STREAMS);
  member_bool(b, "restart", TRUE);
  member_bool(b, "trickle", TRUE);
  member_bool(b, "consent", TRUE);
  member_bool(b, "tcp_srflx", FALSE);
  member_bool(b, "turn_over_tcp", TRUE);
  member_bool(b, "tcp_relay", FALSE);
  member(b, "sdp", "candidates");
  member(b, "profile", "plain");
  member(b, "payload", "raw");
  member_list(b, "reports", "state selected data");
  member_int(b, "sessions", SESSIONS);
  json_builder_end_object(b);
  end(b);
}

static void relay_free(gpointer data)
{
  Relay *relay = data;
  g_free(relay->host);
  g_free(relay->username);
  g_free(relay->password);
  g_free(relay);
}

/* Takes turn:HOST:PORT?transport=tcp (RFC 7065). FALSE: another server, which libnice would ask over UDP, or not at all. */
static gboolean take_servers(Session *s, JsonObject *params)
{
  JsonNode *node = json_object_get_member(params, "ice_servers");
  JsonArray *servers = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  g_autoptr(GRegex) uri = g_regex_new("^turn:\\[?([^\\]?]+)\\]?:([0-9]+)\\?transport=tcp$", 0, 0, NULL);
  for (guint n = 0; servers && n < json_array_get_length(servers); n++) {
    JsonObject *server = json_array_get_object_element(servers, n);
    const gchar *url = text_of(server, "url");
    g_autoptr(GMatchInfo) found = NULL;
    if (!url || !g_regex_match(uri, url, 0, &found)) return FALSE;
    g_autofree gchar *port = g_match_info_fetch(found, 2);
    Relay *relay = g_new0(Relay, 1);
    relay->host = g_match_info_fetch(found, 1);
    relay->port = (guint)g_ascii_strtoull(port, NULL, 10);
    relay->username = g_strdup(text_of(server, "username"));
    relay->password = g_strdup(text_of(server, "credential"));
    s->relays = g_slist_append(s->relays, relay);
  }
  return TRUE;
}

static void session_free(gpointer data)
{
  Session *s = data;
  if (s->agent) {
    g_signal_handlers_disconnect_by_data(s->agent, s);
    for (guint n = 0; n < s->streams->len; n++)
      if (stream_of(s, n)) nice_agent_remove_stream(s->agent, stream_of(s, n)->id);
    g_object_unref(s->agent);
  }
  remote_free(s->remote);
  g_ptr_array_unref(s->streams);
  g_slist_free_full(s->addresses, (GDestroyNotify)nice_address_free);
  g_slist_free_full(s->relays, relay_free);
  if (s->describing) fail(s->describing, UNABLE, CLOSED);
  g_clear_pointer(&s->describing, json_node_unref);
  for (GList *i = s->queue.head; i; i = i->next) fail(json_object_get_member(i->data, "id"), UNABLE, CLOSED);
  g_queue_clear_full(&s->queue, (GDestroyNotify)json_object_unref);
  g_free(s->name);
  g_free(s);
}

static const gchar *addresses_of(Session *s, JsonObject *params)
{
  g_autoptr(GSList) words = words_of(params, "addresses");
  for (GSList *w = words; w; w = w->next) {
    NiceAddress *address = nice_address_new();
    s->addresses = g_slist_append(s->addresses, address);
    if (!nice_address_set_from_string(address, w->data)) return w->data;
  }
  return NULL;
}

static gboolean has_word(GSList *words, const gchar *word)
{
  return g_slist_find_custom(words, word, (GCompareFunc)g_strcmp0) != NULL;
}

static void do_open(JsonNode *id, JsonObject *params)
{
  const gchar *name = text_of(params, "session"), *side = text_of(params, "side");
  const gchar *agent = text_of(params, "agent"), *media = text_of(params, "media");
  gint64 components = number_of(params, "components", 1), streams = number_of(params, "streams", 1);
  g_autoptr(GSList) transports = words_of(params, "transports");
  if (!name || g_hash_table_contains(sessions, name)) {
    fail(id, INVALID_PARAMS, "session is no name, or is open already");
  } else if (g_strcmp0(side, "offerer") && g_strcmp0(side, "answerer")) {
    fail(id, INVALID_PARAMS, "side is neither offerer nor answerer");
  } else if (components < 1 || components > COMPONENTS) {
    fail(id, INVALID_PARAMS, "components are from 1 to %d", COMPONENTS);
  } else if (streams < 1 || streams > STREAMS) {
    fail(id, INVALID_PARAMS, "streams are from 1 to %d", STREAMS);
  } else if (transports && !has_word(transports, "tcp") && !has_word(transports, "udp")) {
    fail(id, INVALID_PARAMS, "libnice's transports are tcp and udp");
  } else {
    Session *s = g_new0(Session, 1);
    s->name = g_strdup(name);
    s->offerer = !g_strcmp0(side, "offerer");
    s->lite = !g_strcmp0(agent, "lite");
    s->bytes = !g_strcmp0(media, "bytes");
    s->udp = has_word(transports, "udp");
    s->tcp = !transports || has_word(transports, "tcp");
    s->components = components;
    s->wanted = streams;
    s->streams = g_ptr_array_new_with_free_func(stream_free);
    const gchar *wrong = addresses_of(s, params);
    if (wrong) {
      fail(id, INVALID_PARAMS, "%s is no IP address", wrong);
      session_free(s);
      return;
    }
    if (!take_servers(s, params)) {
      fail(id, INVALID_PARAMS, "libnice asks TURN servers over TCP, but STUN servers over UDP alone");
      session_free(s);
      return;
    }
    g_hash_table_insert(sessions, s->name, s);
    done(id);
  }
}

static void do_describe(Session *s, JsonNode *id, JsonObject *params)
{
  gboolean trickle = flag_of(params, "trickle");
  if (!s->offerer && !s->remote) {
    fail(id, UNABLE, "an answerer has nothing to describe before it has accepted an offer");
    return;
  }
  if (!s->agent && !start(s, trickle, NULL)) {
    fail(id, UNABLE, "nice_agent_gather_candidates failed: no host candidate could be allocated");
    return;
  }
  if (!gathered(s) && !trickle) {
    s->describing = json_node_copy(id);
    return;
  }
  answer_describe(s, id);
  if (!trickle) return;
  s->described = TRUE;
  if (gathered(s)) g_idle_add_full(G_PRIORITY_DEFAULT, go_on, g_strdup(s->name), NULL);
}

/* Lets libnice's parser take the candidates, one by one: one that it refuses it has ignored (RFC 8839 section 5.1).
 * Returns a refused line if it takes none of a stream's. */
static const gchar *parse_candidates(Session *s, Remote *r)
{
  for (guint n = 0; n < s->streams->len; n++) {
    const gchar *refused = NULL;
    Section *section = section_of(r, n);
    if (!stream_of(s, n) || !section) continue;
    for (GSList *i = section->lines; i; i = i->next) {
      NiceCandidate *candidate = nice_agent_parse_remote_candidate_sdp(s->agent, stream_of(s, n)->id, i->data);
      if (candidate) {
        section->candidates = g_slist_append(section->candidates, candidate);
      } else {
        refused = i->data;
        g_printerr("%s: nice_agent_parse_remote_candidate_sdp refused: %s\n", s->name, refused);
      }
    }
    if (refused && !section->candidates) return refused;
  }
  return NULL;
}

/* RFC 8445 section 9: new credentials in an offer restart ICE. libnice wants to be told. */
static void restart_where_offered(Session *s, Remote *r)
{
  guint streams = 0;
  GArray *anew = g_array_new(FALSE, FALSE, sizeof(guint));
  for (guint n = 0; n < s->streams->len; n++) {
    Section *before = section_of(s->remote, n), *now = section_of(r, n);
    if (!stream_of(s, n) || !before || !now) continue;
    streams++;
    if (g_strcmp0(before->ufrag, now->ufrag) && g_strcmp0(before->pwd, now->pwd))
      g_array_append_val(anew, stream_of(s, n)->id);
  }
  if (anew->len && anew->len == streams) nice_agent_restart(s->agent);
  else
    for (guint i = 0; i < anew->len; i++) nice_agent_restart_stream(s->agent, g_array_index(anew, guint, i));
  g_array_unref(anew);
}

static void do_accept(Session *s, JsonNode *id, JsonObject *params)
{
  const gchar *type = text_of(params, "type"), *sdp = text_of(params, "sdp");
  gboolean offer = !g_strcmp0(type, "offer");
  if (!sdp || (!offer && g_strcmp0(type, "answer"))) {
    fail(id, INVALID_PARAMS, "type is neither offer nor answer, or sdp is missing");
    return;
  }
  Remote *r = remote_parse(sdp);
  if (!(s->agent ? !offer || have_streams(s, r) : start(s, r->trickle, r))) {
    fail(id, UNABLE, "nice_agent_gather_candidates failed: no host candidate could be allocated");
    remote_free(r);
    return;
  }
  const gchar *refused = parse_candidates(s, r);
  if (refused) {
    fail(id, REJECTED, "nice_agent_parse_remote_candidate_sdp refused: %s", refused);
    remote_free(r);
    return;
  }
  if (!r->sections->len || !section_of(r, 0)->ufrag || !section_of(r, 0)->pwd) {
    fail(id, REJECTED, "nice_agent_set_remote_credentials takes no description without ice-ufrag and ice-pwd");
    remote_free(r);
    return;
  }
  if (offer && s->remote) restart_where_offered(s, r);
  remote_free(s->remote);
  s->remote = r;
  s->owes_answer = offer;
  if (!offer) apply(s);
  done(id);
}

/* The stream whose section has this mid: the first, if none has. */
static guint place_of_mid(Session *s, const gchar *mid)
{
  for (guint n = 0; n < s->streams->len; n++)
    if (mid && stream_of(s, n) && g_str_equal(mid_of(s, n), mid)) return n;
  return 0;
}

static void do_trickle(Session *s, JsonNode *id, JsonObject *params)
{
  const gchar *text = text_of(params, "candidate");
  guint n = place_of_mid(s, text_of(params, "mid"));
  Stream *stream = stream_of(s, n);
  Section *section = section_of(s->remote, n);
  if (!stream || !section || !text) {
    fail(id, INVALID_PARAMS, "no candidate, or a candidate before a description");
    return;
  }
  if (!*text) {
    section->complete = TRUE;
    if (!s->owes_answer) nice_agent_peer_candidate_gathering_done(s->agent, stream->id);
    done(id);
    return;
  }
  g_autofree gchar *line = g_strdup_printf("a=%s", text);
  NiceCandidate *candidate = nice_agent_parse_remote_candidate_sdp(s->agent, stream->id, line);
  if (!candidate) {
    fail(id, REJECTED, "nice_agent_parse_remote_candidate_sdp refused: %s", line);
    return;
  }
  section->candidates = g_slist_append(section->candidates, candidate);
  if (!s->owes_answer) {
    GSList one = { candidate, NULL };
    nice_agent_set_remote_candidates(s->agent, stream->id, candidate->component_id, &one);
  }
  done(id);
}

static void do_send(Session *s, JsonNode *id, JsonObject *params)
{
  const gchar *text = text_of(params, "data");
  Stream *stream = stream_of(s, number_of(params, "stream", 0));
  if (!stream || !text) {
    fail(id, INVALID_PARAMS, "no data, or no such stream was described yet");
    return;
  }
  gsize length = 0;
  g_autofree guchar *octets = g_base64_decode(text, &length);
  g_autoptr(GError) error = NULL;
  GOutputVector vector = { octets, length };
  NiceOutputMessage data = { &vector, 1 };
  gint sent = nice_agent_send_messages_nonblocking(s->agent, stream->id, number_of(params, "component", 1), &data, 1,
                                                   NULL, &error);
  if (sent == 1) done(id);
  else fail(id, UNABLE, "nice_agent_send_messages_nonblocking: %s", error ? error->message : "would block");
}

static void do_restart(Session *s, JsonNode *id, JsonObject *params)
{
  (void)params;
  if (s->agent && nice_agent_restart(s->agent)) done(id);
  else fail(id, UNABLE, "nice_agent_restart failed: nothing was described yet");
}

static void do_close(Session *s, JsonNode *id, JsonObject *params)
{
  (void)params;
  g_hash_table_remove(sessions, s->name);
  done(id);
}

/* -- serving ------------------------------------------------------------------------------------------------------ */

static const struct {
  const gchar *name;
  void (*serve)(Session *s, JsonNode *id, JsonObject *params);
} METHODS[] = {
  { "describe", do_describe }, { "accept", do_accept },   { "trickle", do_trickle },
  { "send", do_send },         { "restart", do_restart }, { "close", do_close },
};

static void serve(Session *s, JsonObject *request)
{
  const gchar *method = text_of(request, "method");
  JsonObject *params = json_object_get_object_member(request, "params");
  for (guint i = 0; i < G_N_ELEMENTS(METHODS); i++)
    if (g_str_equal(METHODS[i].name, method))
      METHODS[i].serve(s, json_object_get_member(request, "id"), params);
}

static gboolean known(const gchar *method)
{
  for (guint i = 0; i < G_N_ELEMENTS(METHODS); i++)
    if (g_str_equal(METHODS[i].name, method)) return TRUE;
  return FALSE;
}

static void dispatch(JsonObject *request)
{
  JsonNode *id = json_object_get_member(request, "id");
  JsonNode *node = json_object_get_member(request, "params");
  const gchar *method = text_of(request, "method");
  if (!method) {
    fail(id, INVALID_REQUEST, "no method");
    return;
  }
  gboolean general = g_str_equal(method, "hello") || g_str_equal(method, "open");
  if (!general && !known(method)) {
    fail(id, NO_SUCH_METHOD, "no method %s", method);
    return;
  }
  if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
    fail(id, INVALID_PARAMS, "params is no object");
    return;
  }
  JsonObject *params = json_node_get_object(node);
  if (g_str_equal(method, "hello")) do_hello(id, params);
  else if (g_str_equal(method, "open")) do_open(id, params);
  else {
    const gchar *name = text_of(params, "session");
    Session *s = name ? g_hash_table_lookup(sessions, name) : NULL;
    if (!s) fail(id, INVALID_PARAMS, "no such session is open");
    else if (s->describing && !g_str_equal(method, "close")) g_queue_push_tail(&s->queue, json_object_ref(request));
    else serve(s, request);
  }
}

static void take_line(const gchar *line, gsize length)
{
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) error = NULL;
  if (!json_parser_load_from_data(parser, line, length, &error)) {
    fail(NULL, PARSE_ERROR, "%s", error->message);
    return;
  }
  JsonNode *root = json_parser_get_root(parser);
  if (root && JSON_NODE_HOLDS_OBJECT(root)) dispatch(json_node_get_object(root));
  else fail(NULL, INVALID_REQUEST, "a request is one object");
}

static gboolean on_stdin(gint descriptor, GIOCondition condition, gpointer data)
{
  static GString *buffer;
  gchar chunk[65536];
  (void)condition, (void)data;
  gssize n = read(descriptor, chunk, sizeof chunk);
  if (n < 0 && errno == EINTR) return G_SOURCE_CONTINUE;
  if (n <= 0) {
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
  }
  if (!buffer) buffer = g_string_new(NULL);
  gsize before = buffer->len, start = 0;
  g_string_append_len(buffer, chunk, n);
  for (gsize i = before; i < buffer->len; i++) {
    if (buffer->str[i] != '\n') continue;
    if (i > start) take_line(buffer->str + start, i - start);
    start = i + 1;
  }
  g_string_erase(buffer, 0, start);
  return G_SOURCE_CONTINUE;
}

int main(void)
{
  g_log_writer_default_set_use_stderr(TRUE); /* stdout is the protocol's */
  loop = g_main_loop_new(NULL, FALSE);
  sessions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, session_free);
  g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, on_stdin, NULL);
  g_main_loop_run(loop);
  g_hash_table_unref(sessions);
  g_main_loop_unref(loop);
  return 0;
}
