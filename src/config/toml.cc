/*
 * The only C++ of the program: toml++ parses, and this file copies its tree into plain C (toml.h).
 *
 * No exception leaves this file. Tables are given out in the order of the file, which toml++ does
 * not keep, so they are sorted by the position of their keys.
 */
#define _Noreturn [[noreturn]] /* C's spelling, in the headers of base/ */
extern "C" {
#include "config/toml.h"
}

#include <algorithm>
#include <cstring>
#include <sstream>
#include <string>
#include <string_view>
#include <toml++/toml.h>

namespace {

/* toml++ limits how deep values nest, but not how many parts a dotted key has, and each part is a
 * table within a table: a long enough one would overflow the stack. */
constexpr int max_key_dots = 16;

struct refusal {
    int line;
    int column;
    const char *why;
};

/* Finds keys with too many parts: counts dots outside texts and comments, from one delimiter to the
 * next. The text need not be valid TOML. */
class key_scanner {
  public:
    explicit key_scanner(std::string_view text) : text(text) {}

    void run()
    {
        for (at = 0; at < text.size(); at++)
            step(text[at]);
    }

  private:
    std::string_view text;
    size_t at = 0;
    size_t line_begin = 0;
    int line = 1;
    int dots = 0;

    void step(char c)
    {
        if (c == '"' || c == '\'')
            skip_text(c);
        else if (c == '#')
            skip_comment();
        else if (c == '\n')
            next_line();
        else if (c == '=' || c == ',' || c == '{' || c == '[')
            dots = 0;
        else if (c == '.' && ++dots > max_key_dots)
            throw refusal{ line, static_cast<int>(at - line_begin) + 1,
                           "a key has too many parts" };
    }

    void next_line()
    {
        line++;
        line_begin = at + 1;
        dots = 0;
    }

    void skip_comment()
    {
        while (at + 1 < text.size() && text[at + 1] != '\n')
            at++;
    }

    /* From the quote at `at` to the last one that ends the text; three quotes may span lines. */
    void skip_text(char quote)
    {
        const bool is_long = text.substr(at, 3) == std::string(3, quote);
        const std::string end(is_long ? 3 : 1, quote);
        for (at += end.size(); at < text.size(); at++) {
            if (text[at] == '\\' && quote == '"') {
                at++;
            } else if (text.substr(at, end.size()) == end) {
                at += end.size() - 1;
                return;
            } else if (text[at] == '\n') {
                next_line();
                if (!is_long)
                    return; /* not closed: the parser will say so */
            }
        }
    }
};

struct copier {
    struct arena *arena;

    /* C would take a zero byte for the end. */
    const char *text(std::string_view s, const toml::source_region &where) const
    {
        if (s.find('\0') != std::string_view::npos)
            throw refusal{ static_cast<int>(where.begin.line), static_cast<int>(where.begin.column),
                           "a text holds a zero byte" };
        return arena_strndup(arena, s.data(), s.size());
    }

    void value(const toml::node &from, struct toml_node *to) const
    {
        to->line = static_cast<int>(from.source().begin.line);
        to->column = static_cast<int>(from.source().begin.column);
        if (auto table = from.as_table())
            members(*table, to);
        else if (auto array = from.as_array())
            items(*array, to);
        else
            scalar(from, to);
    }

    void scalar(const toml::node &from, struct toml_node *to) const
    {
        if (auto s = from.as_string()) {
            to->kind = TOML_TEXT;
            to->text = text(s->get(), from.source());
        } else if (auto i = from.as_integer()) {
            to->kind = TOML_INTEGER;
            to->integer = i->get();
        } else if (auto f = from.as_floating_point()) {
            to->kind = TOML_REAL;
            to->real = f->get();
        } else if (auto b = from.as_boolean()) {
            to->kind = TOML_BOOL;
            to->boolean = b->get();
        } else {
            std::ostringstream out;
            from.visit([&out](auto &&node) {
                if constexpr (!toml::is_table<decltype(node)> && !toml::is_array<decltype(node)>)
                    out << *node;
            });
            to->kind = TOML_DATE;
            to->text = text(out.str(), from.source());
        }
    }

    void items(const toml::array &from, struct toml_node *to) const
    {
        to->kind = TOML_ARRAY;
        to->items = ARENA_ARRAY(arena, struct toml_node, from.size());
        for (const auto &item : from)
            value(item, &to->items[to->n++]);
    }

    void members(const toml::table &from, struct toml_node *to) const
    {
        to->kind = TOML_TABLE;
        to->items = ARENA_ARRAY(arena, struct toml_node, from.size());
        for (auto &&[key, node] : from) {
            struct toml_node *item = &to->items[to->n++];
            value(node, item);
            item->key = text(key.str(), key.source());
            item->key_line = static_cast<int>(key.source().begin.line);
            item->key_column = static_cast<int>(key.source().begin.column);
        }
        std::sort(to->items, to->items + to->n,
                  [](const struct toml_node &a, const struct toml_node &b) {
                      return a.key_line != b.key_line ? a.key_line < b.key_line
                                                      : a.key_column < b.key_column;
                  });
    }
};

bool refuse(const char *name, int line, int column, const char *why, struct err *e)
{
    err_set(e, ERR_CONFIG, "%s", why);
    return err_where(e, "%s:%d:%d", name, line, column);
}

} // namespace

bool toml_parse(struct arena *a, struct str text, const char *name, struct toml_node *ret,
                struct err *e)
{
    try {
        key_scanner(std::string_view(text.p, text.n)).run();
        toml::table table = toml::parse(std::string_view(text.p, text.n), std::string_view(name));
        struct toml_node root = {};
        copier{ a }.value(table, &root);
        *ret = root;
        return true;
    } catch (const toml::parse_error &failure) {
        const auto &at = failure.source().begin;
        const std::string why(failure.description());
        return refuse(name, static_cast<int>(at.line), static_cast<int>(at.column), why.c_str(), e);
    } catch (const refusal &failure) {
        return refuse(name, failure.line, failure.column, failure.why, e);
    } catch (const std::exception &failure) {
        return refuse(name, 1, 1, failure.what(), e);
    }
}
