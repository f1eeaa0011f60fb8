/* JSON-RPC 2.0, one object a line: writing results, errors and notifications, reading params. */
#pragma once
#include <errno.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

enum { NO_SUCH_METHOD = -32601, INVALID_PARAMS = -32602, INVALID_REQUEST = -32600, PARSE_ERROR = -32700,
       UNABLE = -32000, REJECTED = -32010 };

static void put(JsonBuilder *builder)
{
  g_autoptr(JsonNode) root = json_builder_get_root(builder);
  g_autofree gchar *text = json_to_string(root, FALSE);
  g_autofree gchar *line = g_strconcat(text, "\n", NULL);
  gsize length = strlen(line), written = 0;
  while (written < length) {
    gssize n = write(STDOUT_FILENO, line + written, length - written);
    if (n < 0 && errno != EINTR) _exit(0); /* the tester is gone */
    if (n > 0) written += n;
  }
  g_object_unref(builder);
}

static void member(JsonBuilder *b, const gchar *name, const gchar *value)
{
  json_builder_set_member_name(b, name);
  json_builder_add_string_value(b, value);
}

static void member_int(JsonBuilder *b, const gchar *name, gint64 value)
{
  json_builder_set_member_name(b, name);
  json_builder_add_int_value(b, value);
}

static void member_bool(JsonBuilder *b, const gchar *name, gboolean value)
{
  json_builder_set_member_name(b, name);
  json_builder_add_boolean_value(b, value);
}

static void member_list(JsonBuilder *b, const gchar *name, const gchar *words)
{
  g_auto(GStrv) list = g_strsplit(words, " ", -1);
  json_builder_set_member_name(b, name);
  json_builder_begin_array(b);
  for (gchar **word = list; *word; word++) {
    if (g_ascii_isdigit(**word)) json_builder_add_int_value(b, g_ascii_strtoll(*word, NULL, 10));
    else json_builder_add_string_value(b, *word);
  }
  json_builder_end_array(b);
}

static JsonBuilder *message(void)
{
  JsonBuilder *b = json_builder_new();
  json_builder_begin_object(b);
  member(b, "jsonrpc", "2.0");
  return b;
}

static JsonBuilder *begin_result(JsonNode *id)
{
  JsonBuilder *b = message();
  json_builder_set_member_name(b, "id");
  json_builder_add_value(b, id ? json_node_copy(id) : json_node_new(JSON_NODE_NULL));
  json_builder_set_member_name(b, "result");
  json_builder_begin_object(b);
  return b;
}

static JsonBuilder *begin_notification(const gchar *method, const gchar *session)
{
  JsonBuilder *b = message();
  member(b, "method", method);
  json_builder_set_member_name(b, "params");
  json_builder_begin_object(b);
  member(b, "session", session);
  return b;
}

/* Ends a result or notification: closes "result" or "params" and the message. */
static void end(JsonBuilder *b)
{
  json_builder_end_object(b);
  json_builder_end_object(b);
  put(b);
}

static void done(JsonNode *id)
{
  end(begin_result(id));
}

static void fail(JsonNode *id, gint code, const gchar *format, ...) G_GNUC_PRINTF(3, 4);
static void fail(JsonNode *id, gint code, const gchar *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_autofree gchar *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  JsonBuilder *b = message();
  json_builder_set_member_name(b, "id");
  json_builder_add_value(b, id ? json_node_copy(id) : json_node_new(JSON_NODE_NULL));
  json_builder_set_member_name(b, "error");
  json_builder_begin_object(b);
  member_int(b, "code", code);
  member(b, "message", text);
  end(b);
}

static const gchar *text_of(JsonObject *params, const gchar *name)
{
  JsonNode *node = json_object_get_member(params, name);
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
             ? json_node_get_string(node) : NULL;
}

static gint64 number_of(JsonObject *params, const gchar *name, gint64 otherwise)
{
  JsonNode *node = json_object_get_member(params, name);
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64
             ? json_node_get_int(node) : otherwise;
}

static gboolean flag_of(JsonObject *params, const gchar *name)
{
  JsonNode *node = json_object_get_member(params, name);
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
         json_node_get_boolean(node);
}

/* The strings of an array; the caller frees the list, not the strings. */
static GSList *words_of(JsonObject *params, const gchar *name)
{
  JsonNode *node = json_object_get_member(params, name);
  GSList *words = NULL;
  if (!node || !JSON_NODE_HOLDS_ARRAY(node)) return NULL;
  JsonArray *array = json_node_get_array(node);
  for (guint i = 0; i < json_array_get_length(array); i++) {
    JsonNode *item = json_array_get_element(array, i);
    if (JSON_NODE_HOLDS_VALUE(item) && json_node_get_value_type(item) == G_TYPE_STRING)
      words = g_slist_append(words, (gpointer)json_node_get_string(item));
  }
  return words;
}
