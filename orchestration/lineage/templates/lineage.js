"use strict";
(function () {
  const graph = JSON.parse(document.getElementById("graph").textContent);
  const names = graph.columns.map((column) => column.name);
  const place = new Map(names.map((name, index) => [name, index]));
  const targets = names.map(() => []);
  graph.columns.forEach((column, index) => column.from.forEach((source) => targets[source].push(index)));
  const words = document.getElementById("words");
  const found = document.getElementById("found");
  const shown = document.getElementById("column");
  const count = document.getElementById("count");
  const most = 60;

  function make(tag, text, kind) {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  }

  function link(index) {
    const anchor = make("a", names[index]);
    anchor.href = "#" + names[index];
    return anchor;
  }

  function branch(index, step, seen, depth) {
    const item = make("li");
    const next = step(index);
    const column = graph.columns[index];
    const head = next.length && !seen.has(index) ? make("summary") : make("span");
    head.append(link(index));
    const notes = [column.note, column.unit, column.rule && "rules " + column.rule];
    if (next.length && seen.has(index)) notes.push("shown above");
    head.append(make("span", " " + notes.filter(Boolean).join(" · "), "note"));
    if (!next.length || seen.has(index)) {
      item.append(head);
      return item;
    }
    seen.add(index);
    const fold = make("details");
    fold.open = depth < 2;
    fold.append(head);
    if (column.formula && column.formula.length < 200) fold.append(make("span", "= " + column.formula, "formula"));
    fold.append(list(next, step, seen, depth + 1));
    item.append(fold);
    return item;
  }

  function list(indexes, step, seen, depth) {
    const items = make("ul");
    indexes.forEach((index) => items.append(branch(index, step, seen, depth)));
    return items;
  }

  function way(heading, index, step, nothing) {
    const part = make("div", "", "way");
    part.append(make("h3", heading));
    const next = step(index);
    part.append(next.length ? list(next, step, new Set([index]), 0) : make("p", nothing, "note"));
    return part;
  }

  function reached(index, step) {
    const seen = new Set();
    const waiting = [index];
    while (waiting.length) {
      step(waiting.pop()).forEach((next) => {
        if (!seen.has(next)) {
          seen.add(next);
          waiting.push(next);
        }
      });
    }
    return Array.from(seen).sort((a, b) => a - b);
  }

  function ends(index) {
    const part = make("div");
    const received = reached(index, (each) => graph.columns[each].from).filter((each) => graph.columns[each].note === "as received");
    if (!received.length) return part;
    part.append(make("h3", "Rests on, as received"));
    const line = make("p");
    received.forEach((each, at) => {
      if (at) line.append(", ");
      line.append(link(each));
    });
    part.append(line);
    return part;
  }

  function show(index) {
    const column = graph.columns[index];
    shown.textContent = "";
    const heading = make("h2", column.name);
    heading.tabIndex = -1;
    shown.append(heading);
    const facts = make("dl");
    [["What", column.text], ["Formula", column.formula], ["Note", column.reason], ["Unit", column.unit],
     ["Type", column.type], ["Rule", column.rule && "docs/rules.md " + column.rule], ["Made by", column.by],
     ["Contract", column.contract]].forEach(([name, value]) => {
      if (!value) return;
      facts.append(make("dt", name), make("dd", value, name === "Formula" ? "formula" : ""));
    });
    shown.append(facts);
    const ways = make("div", "", "ways");
    ways.append(
      way("Comes from", index, (each) => (graph.columns[each].earlier ? [] : graph.columns[each].from), "It is not worked out from another column."),
      way("Goes into", index, (each) => targets[each], "No other column is worked out from it."));
    shown.append(ways, ends(index));
    shown.hidden = false;
    document.title = column.name + ": column lineage";
    return heading;
  }

  function search() {
    const parts = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    found.textContent = "";
    found.hidden = !parts.length;
    count.textContent = "";
    if (!parts.length) return;
    const hits = [];
    names.forEach((name, index) => {
      if (parts.every((part) => name.toLowerCase().includes(part))) hits.push(index);
    });
    count.textContent = hits.length + (hits.length === 1 ? " column" : " columns") + (hits.length > most ? ", the first " + most + " shown" : "");
    const items = make("ul");
    hits.slice(0, most).forEach((index) => {
      const item = make("li");
      item.append(link(index));
      items.append(item);
    });
    found.append(items);
  }

  function follow(isFirst) {
    const name = decodeURIComponent(location.hash.slice(1));
    const table = document.getElementById(name);
    if (place.has(name)) {
      const heading = show(place.get(name));
      if (!isFirst) {
        heading.scrollIntoView();
        heading.focus({ preventScroll: true });
      }
    } else if (table && table.tagName === "DETAILS") {
      table.open = true;
      table.scrollIntoView();
    }
  }

  document.getElementById("search").hidden = false;
  words.addEventListener("input", search);
  window.addEventListener("hashchange", () => follow(false));
  // Paper cannot be unfolded: tables print open, a column as far as its reader has unfolded it.
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = shown.hidden ? Array.from(document.querySelectorAll("details:not([open])")) : [];
    folded.forEach((fold) => { fold.open = true; });
  });
  window.addEventListener("afterprint", () => folded.forEach((fold) => { fold.open = false; }));
  follow(true);
})();
