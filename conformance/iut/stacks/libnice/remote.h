/* The tester's description: its session level and first media section, taken apart but not judged. */
#pragma once
#include <nice/agent.h>
#include <string.h>

typedef struct {
  gchar *ufrag, *pwd;   /* of the first media section, or of the session level */
  gchar *media;         /* its m= line without "m=" and without the port, which is %u */
  gchar *mid, *setup;
  guint sections;       /* media sections in all; we take the first (RFC 3264 section 6) */
  GSList *others;       /* m= lines of the others, answered with port 0 */
  gboolean lite, trickle, complete;
  GSList *lines;        /* "a=candidate:..." as received */
  GSList *candidates;   /* NiceCandidate, by libnice's parser */
} Remote;

static void remote_free(Remote *r)
{
  if (!r) return;
  g_free(r->ufrag);
  g_free(r->pwd);
  g_free(r->media);
  g_free(r->mid);
  g_free(r->setup);
  g_slist_free_full(r->others, g_free);
  g_slist_free_full(r->lines, g_free);
  g_slist_free_full(r->candidates, (GDestroyNotify)nice_candidate_free);
  g_free(r);
}

/* "audio 9 TCP/RTP/AVP 0" with another port, given as "%u" or a number. */
static gchar *with_port(const gchar *media, const gchar *port)
{
  g_auto(GStrv) parts = g_strsplit(media, " ", 3);
  return g_strv_length(parts) == 3 ? g_strdup_printf("%s %s %s", parts[0], port, parts[2]) : g_strdup(media);
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

static void take_attribute(Remote *r, const gchar *attribute)
{
  gchar *value = strchr(attribute, ':');
  value = value ? value + 1 : "";
  if (g_str_has_prefix(attribute, "ice-ufrag:")) replace(&r->ufrag, value);
  else if (g_str_has_prefix(attribute, "ice-pwd:")) replace(&r->pwd, value);
  else if (g_str_has_prefix(attribute, "mid:")) replace(&r->mid, value);
  else if (g_str_has_prefix(attribute, "setup:")) replace(&r->setup, value);
  else if (g_str_has_prefix(attribute, "ice-options:")) r->trickle |= contains_word(value, "trickle");
  else if (g_str_equal(attribute, "ice-lite")) r->lite = TRUE;
  else if (g_str_equal(attribute, "end-of-candidates")) r->complete = TRUE;
  else if (g_str_has_prefix(attribute, "candidate:"))
    r->lines = g_slist_append(r->lines, g_strdup_printf("a=%s", attribute));
}

/* Takes the session level and the first media section. */
static Remote *remote_parse(const gchar *sdp)
{
  Remote *r = g_new0(Remote, 1);
  g_auto(GStrv) lines = g_strsplit(sdp, "\n", -1);
  for (gchar **line = lines; *line; line++) {
    gsize length = strlen(*line);
    if (length && (*line)[length - 1] == '\r') (*line)[length - 1] = '\0';
    if (g_str_has_prefix(*line, "m=")) {
      if (r->sections++ == 0) r->media = with_port(*line + 2, "%u");
      else r->others = g_slist_append(r->others, with_port(*line + 2, "0"));
    } else if (g_str_has_prefix(*line, "a=") && r->sections <= 1) {
      take_attribute(r, *line + 2);
    }
  }
  return r;
}
