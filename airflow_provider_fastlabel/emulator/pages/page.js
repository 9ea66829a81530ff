"use strict";
// The control that chooses a frame: parts of the page are replaced by those of the page for that frame.
for (const form of document.querySelectorAll("form.scrub")) {
  const range = form.elements.frame;
  const said = form.querySelector("output");
  const clip = document.querySelector(".stage video");
  const rate = Number(form.dataset.rate);
  let waiting;
  form.querySelector("button").hidden = true;
  const seek = () => {
    if (clip && rate > 0) clip.currentTime = (Number(range.value) - 0.5) / rate;
  };
  const show = async () => {
    const frame = range.value;
    const answer = await fetch(`${location.pathname}?frame=${frame}`);
    if (!answer.ok || frame !== range.value) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (frame !== range.value) return;
    for (const part of form.dataset.parts.split(" ")) {
      document.getElementById(part).replaceWith(page.getElementById(part));
    }
  };
  range.addEventListener("input", () => {
    said.value = `${range.value} of ${form.dataset.last}`;
    seek();
    clearTimeout(waiting);
    waiting = setTimeout(show, 60);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  seek();
}
