/* The tester's description: its session level and its media sections, taken apart but not judged. */
#pragma once
#include <nice/agent.h>
#include <string.h>

typedef struct {
  gchar *ufrag, *pwd;   /* the section's own, else the session level's (RFC 8839 section 5.4) */
  gchar *media;         /* its m= line without "m=" and without the port, which is %u */
  gchar *mid, *setup;
  gboolean unused;      /* port 0: the stream is not used (RFC 3264 section 6) */
  gboolean complete;
  GSList *lines;        /* "a=candidate:..." as received */
  GSList *candidates;   /* NiceCandidate, by libnice's parser */
} Section;

typedef struct {
  Section *session;     /* what the session level says; it has no m= line */
  GPtrArray *sections;  /* Section */
  gboolean lite, trickle;
} Remote;

static void section_free(gpointer data)
{
  Section *section = data;
  g_free(section->ufrag);
  g_free(section->pwd);
  g_free(section->media);
  g_free(section->mid);
  g_free(section->setup);
  g_slist_free_full(section->lines, g_free);
  g_slist_free_full(section->candidates, (GDestroyNotify)nice_candidate_free);
  g_free(section);
}

static void remote_free(Remote *r)
{
  if (!r) return;
  section_free(r->session);
  g_ptr_array_unref(r->sections);
  g_free(r);
}

/* The section that stream n is described by; NULL: there is none. */
static Section *section_of(Remote *r, guint n)
{
  return r && n < r->sections->len ? g_ptr_array_index(r->sections, n) : NULL;
}

/* Whether libnice can have a stream for a section: it is used, and says what ICE needs. The first one always has one. */
static gboolean in_use(const Section *section)
{
  return !section->unused && section->ufrag && section->pwd;
}

/* "audio 9 TCP/RTP/AVP 0" with another port, given as "%u" or a number. */
static gchar *with_port(const gchar *media, const gchar *port)
{
  g_auto(GStrv) parts = g_strsplit(media, " ", 3);
  return g_strv_length(parts) == 3 ? g_strdup_printf("%s %s %s", parts[0], port, parts[2]) : g_strdup(media);
}

static gboolean has_port_0(const gchar *media)
{
  g_auto(GStrv) parts = g_strsplit(media, " ", 3);
  return g_strv_length(parts) == 3 && g_str_equal(parts[1], "0");
}

static void replace(gchar **place, const gchar *value)
{
  g_free(*place);
  *place = g_strdup(value);
}

static gboolean contains_word(const gchar *words, const gchar *word)
{
  g_auto(GStrv) list = g_strsplit(words, " ", -1);
  return g_strv_contains((const gchar *const *)list, word);
}

static void take_attribute(Remote *r, Section *place, const gchar *attribute)
{
  gchar *value = strchr(attribute, ':');
  value = value ? value + 1 : "";
  if (g_str_has_prefix(attribute, "ice-ufrag:")) replace(&place->ufrag, value);
  else if (g_str_has_prefix(attribute, "ice-pwd:")) replace(&place->pwd, value);
  else if (g_str_has_prefix(attribute, "mid:")) replace(&place->mid, value);
  else if (g_str_has_prefix(attribute, "setup:")) replace(&place->setup, value);
  else if (g_str_has_prefix(attribute, "ice-options:")) r->trickle |= contains_word(value, "trickle");
  else if (g_str_equal(attribute, "ice-lite")) r->lite = TRUE;
  else if (g_str_equal(attribute, "end-of-candidates")) place->complete = TRUE;
  else if (g_str_has_prefix(attribute, "candidate:"))
    place->lines = g_slist_append(place->lines, g_strdup_printf("a=%s", attribute));
}

/* Gives a section what only the session level says. */
static void inherit(Section *section, const Section *session)
{
  if (!section->ufrag) section->ufrag = g_strdup(session->ufrag);
  if (!section->pwd) section->pwd = g_strdup(session->pwd);
  if (!section->setup) section->setup = g_strdup(session->setup);
  section->complete |= session->complete;
}

static Remote *remote_parse(const gchar *sdp)
{
  Remote *r = g_new0(Remote, 1);
  Section *place = r->session = g_new0(Section, 1);
  r->sections = g_ptr_array_new_with_free_func(section_free);
  g_auto(GStrv) lines = g_strsplit(sdp, "\n", -1);
  for (gchar **line = lines; *line; line++) {
    gsize length = strlen(*line);
    if (length && (*line)[length - 1] == '\r') (*line)[length - 1] = '\0';
    if (g_str_has_prefix(*line, "m=")) {
      place = g_new0(Section, 1);
      place->media = with_port(*line + 2, "%u");
      place->unused = has_port_0(*line + 2);
      g_ptr_array_add(r->sections, place);
    } else if (g_str_has_prefix(*line, "a=")) {
      take_attribute(r, place, *line + 2);
    }
  }
  for (guint n = 0; n < r->sections->len; n++) inherit(section_of(r, n), r->session);
  return r;
}
