"use strict";
/* What has changed since the version before. data.since is null without a data set, {title, note} where nothing was
compared, and else what comparisons/since.py says. A change is {n: picture, p: its place in data.pictures or -1, w: what happened,
numbers of words, c: class before and after, v: the part of the picture that is shown, in pixels, r: its outlines before
and after, t: that part of the photograph}. */

function changeWords(change) {
  const [one, other] = change.c;
  const name = one !== null && other !== null && one !== other ? `${one} → ${other}` : other ?? one;
  return `${change.w.map((at) => data.since.words[at]).join(", ")}: ${name}`;
}

function inPixels(points) {
  const pairs = [];
  for (let at = 0; at < points.length; at += 2) pairs.push(`${points[at]},${points[at + 1]}`);
  return pairs.join(" ");
}

/* The part of the picture with the outlines of the sides that are asked for: 0 before, dashed; 1 after. */
function cropped(change, sides) {
  const [x, y, width, height] = change.v;
  const told = sides.length > 1 ? "before and after" : sides[0] ? "after" : "before";
  const made = svg("svg", { viewBox: change.v.join(" "), role: "img", "aria-label": `${changeWords(change)}, ${told}, in ${change.n}` });
  const picture = data.pictures[change.p];
  if (change.t) made.append(svg("image", { href: change.t, x, y, width, height, preserveAspectRatio: "none" }));
  else if (picture && picture.t) made.append(svg("image", { href: picture.t, width: picture.z[0], height: picture.z[1], preserveAspectRatio: "none" }));
  const drawn = sides.filter((side) => change.r[side]).reverse();  // the dashes last: the other is seen between them
  const line = (side, look) => made.append(svg("polygon", { points: inPixels(change.r[side]), fill: "none", "vector-effect": "non-scaling-stroke", "stroke-linejoin": "round", ...look }));
  for (const side of drawn) line(side, { stroke: "#000", "stroke-opacity": 0.65, "stroke-width": 5 });
  for (const side of drawn) line(side, { class: side ? "after" : "before", "stroke-width": 3 });
  return made;
}

function changeCard(change, back) {
  return el("button", { class: "shot", type: "button", onclick: () => changeLarge(change, back) },
    cropped(change, [0, 1]), el("b", {}, changeWords(change)), el("small", {}, shortName(change.n)));
}

function changeLarge(change, back) {
  const again = () => changeLarge(change, back);
  const side = (at, title) => el("figure", {}, el("figcaption", {}, title), change.r[at] ? cropped(change, [at]) : el("p", { class: "note nothing" }, at ? "It is no longer there." : "It was not there."));
  const picture = data.pictures[change.p];
  const whole = picture ? el("button", { class: "plain", type: "button", onclick: () => large(picture, new Set(), again) }, "The whole picture, as it is now") : undefined;
  const facts = el("dl", {}, el("dt", {}, "Picture"), el("dd", {}, change.n));
  const same = change.c[0] === change.c[1];
  change.c.forEach((name, at) => { if (name !== null && (at || !same)) facts.append(el("dt", {}, same ? "Class" : at ? "Class now" : "Class before"), el("dd", {}, name)); });
  show(heading(changeWords(change), back), el("div", { class: "body" }, el("div", { class: "sides" }, side(0, "Before"), side(1, "After")), facts, whole));
}

function changeList(title, count, unit, found, most = 60) {
  const back = () => changeList(title, count, unit, found, most);
  const grid = el("div", { class: "sheet" }, ...found.slice(0, most).map((change) => changeCard(change, back)));
  const more = found.length > most
    ? el("button", { class: "plain more", type: "button", onclick: () => changeList(title, count, unit, found, most + 120) }, `Show more of ${number(found.length)}`)
    : undefined;
  const note = `${number(count)} ${unit} in all${found.length < count ? `; this file holds ${number(found.length)} of them` : ""}.`;
  show(heading(title), el("div", { class: "body" }, el("p", { class: "note" }, note), changeKey(), grid, more));
}

function changeKey() {
  return el("p", { class: "legend" }, el("span", {}, el("i", { class: "line before" }), "before"), el("span", {}, el("i", { class: "line after" }), "after"));
}

/* Pictures that came, went or changed: those of the file as cards, of the others some names. */
function changedPictures([what, count, places, names]) {
  const title = `Pictures ${what}`;
  const back = () => changedPictures([what, count, places, names]);
  const cards = places.map((at) => card(data.pictures[at], undefined, new Set(), () => large(data.pictures[at], new Set(), back)));
  const held = what === "removed" ? ` They are not in the data set any more${places.length ? "; those that the project still has are shown" : ""}.` : "";
  const rest = names.length ? el("ul", { class: "names" }, ...names.map((name) => el("li", {}, name))) : undefined;
  const shown = places.length + names.length;
  show(heading(title), el("div", { class: "body" }, el("p", { class: "note" }, `${many(count, "picture")} in all${shown < count ? `; ${number(shown)} of them are here` : ""}.${held}`), el("div", { class: "sheet" }, ...cards), rest));
}

function classChanges(most) {
  const { classes, words, changes } = data.since;
  const box = el("ul", { class: "classes" });
  const fill = (all) => {
    box.replaceChildren(...(all ? classes : classes.slice(0, most)).map(([name, before, now, counts]) => {
      const chips = counts.map((count, at) => {
        if (!count) return undefined;
        const found = changes.filter((change) => change.w.includes(at) && (change.c[1] ?? change.c[0]) === name);
        const text = `${number(count)} ${words[at]}`;
        return found.length ? el("button", { class: "chip", type: "button", "aria-label": `${name}: ${text}. Show them`, onclick: () => changeList(`${name}: ${words[at]}`, count, "objects", found) }, text) : el("span", { class: "chip" }, text);
      });
      return el("li", {}, el("b", {}, name), el("span", { class: "note" }, `${number(before)} → ${number(now)}`), ...chips);
    }));
    if (classes.length > most) box.append(el("li", {}, el("button", { class: "plain", type: "button", onclick: () => fill(!all) }, all ? "Show fewer" : `Show all ${number(classes.length)}`)));
  };
  fill(false);
  return box;
}

function swaps() {
  return data.since.swaps.slice(0, 12).map(([one, other, count]) => {
    const text = `${one} → ${other} ${number(count)}`;
    const found = data.since.changes.filter((change) => change.c[0] === one && change.c[1] === other);
    return found.length ? el("button", { class: "chip", type: "button", onclick: () => changeList(`${one} → ${other}`, count, "objects", found) }, text) : el("span", { class: "chip" }, text);
  });
}

function since() {
  const found = data.since, title = `Changes since ${found.title}`;
  if (found.note) return el("section", { class: "card since" }, el("h2", {}, title), el("p", { class: "note" }, found.note));
  const [[before, objectsBefore], [now, objectsNow]] = found.sides;
  const lead = `${number(before)} → ${many(now, "picture")}, ${number(objectsBefore)} → ${many(objectsNow, "object")}.`;
  const quiet = !found.pictures.some(([, count]) => count) && !found.objects.some(Boolean);
  const pictures = bars(found.pictures.map((row) => ({ name: row[0], count: row[1], click: row[2].length || row[3].length ? () => changedPictures(row) : undefined })));
  const objects = bars(found.objects.map((count, at) => {
    const shown = found.changes.filter((change) => change.w.includes(at));
    return { name: found.words[at], count, click: shown.length ? () => changeList(`Objects ${found.words[at]}`, count, "objects", shown) : undefined };
  }));
  const grid = el("div", { class: "sheet" });
  const worst = found.changes.slice(0, found.suspicious), first = matchMedia("(max-width: 640px)").matches ? 6 : 12;
  const more = el("p", { class: "more" });
  const fill = (most) => {
    grid.replaceChildren(...worst.slice(0, most).map((change) => changeCard(change)));
    more.replaceChildren(...(worst.length > most ? [el("button", { class: "plain", type: "button", onclick: () => fill(worst.length) }, `Show all ${number(worst.length)}`)] : []));
  };
  fill(first);
  const remarks = [found.fine ? "" : "The formats differ, so outlines and attributes were not compared.", found.unread ? `${many(found.unread, "object or file", "objects or files")} cannot be read, so not compared.` : "", found.more_classes ? `${many(found.more_classes, "more class has", "more classes have")} changed.` : ""].filter(Boolean);
  const part = (name, ...content) => el("div", {}, el("h3", {}, name), ...content);
  const section = el("section", { class: "card since" }, el("h2", {}, title), el("p", { class: "note" }, [lead, quiet ? "Nothing has changed." : "", ...remarks].filter(Boolean).join(" ")));
  if (quiet) return section;
  section.append(el("div", { class: "pair" }, part("Pictures", pictures), part("Objects", objects)));
  if (found.classes.length) section.append(part("By class", classChanges(8)));
  if (found.swaps.length) section.append(part("Reclassed", el("div", { class: "chips" }, ...swaps())));
  if (worst.length)
    section.append(part(`Before and after: ${many(worst.length, "object")} to look at first`, el("p", { class: "note" }, "Of what has changed, the most suspicious of each kind in turn: rare changes of class, boxes that overlap little, large objects. A change is no error; click to judge."), changeKey(), grid, more));
  return section;
}

