// Writes src/rego/unicode_tables.inc from the tables of the Go library, whose
// notion of Unicode the language's reference has:
//
//	go run scripts/unicode-tables.go > src/rego/unicode_tables.inc
package main

import (
	"fmt"
	"sort"
	"unicode"
)

type span struct{ first, last rune }

func spans(in func(rune) bool) []span {
	var out []span
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !in(r) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].last == r-1 {
			out[n-1].last = r
		} else {
			out = append(out, span{r, r})
		}
	}
	return out
}

func ranges(name string, list []span) {
	fmt.Printf("static const struct unicode_range %s[] = {\n", name)
	for i, s := range list {
		if i%3 == 0 {
			fmt.Print("    ")
		}
		fmt.Printf("{ 0x%04x, 0x%04x },", s.first, s.last)
		if i%3 == 2 || i == len(list)-1 {
			fmt.Println()
		} else {
			fmt.Print(" ")
		}
	}
	fmt.Print("};\n\n")
}

func classes() {
	tables := map[string]*unicode.RangeTable{}
	for name, t := range unicode.Categories {
		if len(name) == 2 && name != "Cn" && name != "LC" {
			tables[name] = t
		}
	}
	for name, t := range unicode.Scripts {
		tables[name] = t
	}
	var names []string
	for name := range tables {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		ranges("class_"+name, spans(func(r rune) bool { return unicode.Is(tables[name], r) }))
	}
	fmt.Println("#define CLASS(name)                                                            \\")
	fmt.Println("    { #name, class_##name, sizeof(class_##name) / sizeof(class_##name[0]) }")
	fmt.Println("\nstatic const struct unicode_class classes[] = {")
	for _, name := range names {
		fmt.Printf("    CLASS(%s),\n", name)
	}
	fmt.Println("};")
	fmt.Println()
}

// Runs of runes, 1 or 2 apart, that a mapping moves by the same distance.
func mapping(name string, to func(rune) rune) {
	fmt.Printf("static const struct unicode_shift %s[] = {\n", name)
	type run struct{ first, last, step, by rune }
	var runs []run
	for r := rune(0); r <= unicode.MaxRune; r++ {
		by := to(r) - r
		if by == 0 {
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].by == by {
			l := &runs[n-1]
			if d := r - l.last; d <= 2 && (l.first == l.last || d == l.step) {
				l.last, l.step = r, d
				continue
			}
		}
		runs = append(runs, run{r, r, 1, by})
	}
	for _, r := range runs {
		fmt.Printf("    { 0x%04x, 0x%04x, %d, %d },\n", r.first, r.last, r.step, r.by)
	}
	fmt.Print("};\n\n")
}

func folds() {
	fmt.Println("/* Where folding is not just the other case. */")
	fmt.Println("static const struct unicode_range fold_exceptions[] = {")
	for r := rune(0); r <= unicode.MaxRune; r++ {
		simple := unicode.ToLower(r)
		if simple == r {
			simple = unicode.ToUpper(r)
		}
		if f := unicode.SimpleFold(r); f != simple {
			fmt.Printf("    { 0x%04x, 0x%04x },\n", r, f)
		}
	}
	fmt.Println("};")
}

func main() {
	fmt.Printf("/* Unicode %s. Made by scripts/unicode-tables.go: do not edit. */\n", unicode.Version)
	fmt.Print("/* clang-format off */\n\n")
	classes()
	ranges("printable", spans(unicode.IsPrint))
	mapping("to_lower", unicode.ToLower)
	mapping("to_upper", unicode.ToUpper)
	folds()
	fmt.Print("/* clang-format on */\n")
}
