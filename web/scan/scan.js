// The scan page's conveniences: claim without a reload, and follow the reward until it is final.
// Without this file the form posts and the page answers; nothing here decides anything.
(() => {
  "use strict";
  // Filled in per language by dev/build_web.py from webui/texts.py.
  const words = {};
  const byId = (id) => document.getElementById(id);
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  const retryAfter = (reply) => 1000 * (Number(reply.headers.get("Retry-After")) || 0);
  // Jitter keeps a crowd that was turned away together from coming back together.
  const backOff = (attempt, cap) => Math.min(cap, 1000 * 1.4 ** attempt) * (0.75 + Math.random() / 2);

  // A request that got no answer at all is null: offline, or the connection broke.
  const ask = async (url, options) => {
    try {
      return await fetch(url, options);
    } catch (lost) {
      return null;
    }
  };

  // Resolves after `ms`, or at once when the person comes back to the page; never while nobody is looking.
  const nap = (ms) => new Promise((done) => {
    const wake = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", wake);
      clearTimeout(timer);
      done();
    };
    const timer = setTimeout(wake, ms);
    document.addEventListener("visibilitychange", wake);
  });

  const say = (text) => { const note = byId("note"); if (note) note.textContent = text; };

  const amount = (reward) => {
    const minor = reward.amount_minor;
    if (!(minor > 0)) return "";
    const group = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
    if (reward.kind === "points") return words.points.replace("{points}", group(minor));
    if (reward.kind !== "cash" && reward.kind !== "trade_credit") return "";
    const sign = !reward.currency || reward.currency === "CNY" ? "¥" : reward.currency + " ";
    return sign + group(Math.floor(minor / 100)) + "." + String(minor % 100).padStart(2, "0");
  };

  const pageAddress = () => document.querySelector(".lang").href.split("?")[0];

  // Where the person confirms a payout, with the way back here; "" where that is not done on the web.
  const confirmAddress = (reward) => {
    const url = reward.action && reward.action.url && new URL(reward.action.url, location.href);
    if (!url || !/^https?:$/.test(url.protocol)) return "";
    if (!url.searchParams.has("back")) url.searchParams.set("back", pageAddress());
    return url.href;
  };

  const show = (panel, reward) => {
    const refused = reward.state === "RELEASED" && reward.reason && reward.reason !== "deadline_passed";
    const text = words.rewards[refused ? "REFUSED" : reward.state] || words.rewards[""];
    const url = confirmAddress(reward);
    const won = reward.state && reward.state !== "NONE";
    const names = reward.prize || {};
    const prize = (won && (names[words.lang] || names["zh-CN"] || Object.values(names)[0])) || "";
    const headline = (won && amount(reward)) || prize;
    const part = (selector, content) => { panel.querySelector(selector).textContent = content; };
    panel.dataset.state = reward.state;
    panel.dataset.step = text[2];
    part("h2", text[0]);
    part(".headline", headline);
    part(".prize", prize === headline ? "" : prize);
    part(".body", reward.state === "WAIT_USER" && !url ? words.elsewhere : text[1]);
    const button = panel.querySelector(".button");
    button.hidden = !url;
    if (url) button.href = url;
    const others = panel.parentNode.children;
    if (reward.state === "NONE" && others.length > 1) panel.remove();
    return text[3];
  };

  // Asks for one reward until it is final: often while the machine works, ever more rarely while a person must act.
  const busyStates = ["", "PENDING", "SUBMITTING", "ACCEPTED"];
  const follow = async (panel) => {
    const again = panel.querySelector(".again");
    let state = panel.dataset.state;
    again.hidden = true;
    for (let attempt = busyStates.includes(state) ? 0 : 6; attempt < 40; attempt++) {
      await nap(backOff(attempt, 20000));
      const reply = await ask("/v1/rewards/" + encodeURIComponent(panel.dataset.id), { headers: { Accept: "application/json" } });
      if (reply && reply.ok) {
        const reward = await reply.json();
        if (show(panel, reward)) return;
        if (state !== reward.state) attempt = busyStates.includes(reward.state) ? -1 : 5;
        state = reward.state;
      } else if (reply && (reply.status === 401 || reply.status === 403)) {
        break;
      } else if (reply) {
        await nap(retryAfter(reply));
      }
      if (attempt === 8 && !state) panel.querySelector(".body").textContent = words.slow;
    }
    again.hidden = false;
  };

  const begin = (id) => {
    const panel = byId("reward").content.firstElementChild.cloneNode(true);
    panel.dataset.id = id;
    byId("rewards").append(panel);
    show(panel, { state: "" });
    follow(panel);
  };

  // The page as the server sees it now, in place of what is shown.
  const refresh = async () => {
    const reply = await ask(pageAddress() + "?lang=" + words.lang);
    if (!reply) return say(words.errors.offline);
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("page");
    byId("page").replaceWith(fresh);
    start();
  };

  const locate = () => new Promise((done) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => done({ lat: +coords.latitude.toFixed(5), lng: +coords.longitude.toFixed(5), accuracy_m: Math.ceil(coords.accuracy), datum: "wgs84" }),
      () => done(undefined),
      { timeout: 5000, maximumAge: 60000 },
    );
  });

  const refused = async (code, reply) => {
    const known = words.aliases[code] || code;
    let text = words.errors[known] || words.errors[""];
    if (known === "session_expired" || known === "code_not_issued") await refresh();
    const hours = Math.ceil(retryAfter(reply) / 3600000);
    if (known === "person_limit_reached" && hours) text += words.hours.replace("{hours}", hours);
    say(text);
  };

  const settle = async (reply) => {
    const body = await reply.json();
    if (!reply.ok) return refused(body.code, reply);
    if (body.outcome !== "first") return refresh();
    byId("claim").remove();
    byId("verdict").textContent = words.yours[0];
    byId("ground").textContent = words.yours[1];
    body.rewards.forEach(begin);
    byId("rewards").focus();
  };

  // The same claim id every time: whichever try arrives, the answer is the same.
  const post = async (body) => {
    for (let attempt = 0; ; attempt++) {
      const reply = await ask("/v1/scans", { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body });
      const json = reply && /json/.test(reply.headers.get("Content-Type") || "");
      const limit = json && reply.status === 429 && (await reply.clone().json()).code === "person_limit_reached";
      const busy = !reply || reply.status >= 500 || (reply.status === 429 && !limit);
      if (!busy && json) return reply;
      if (attempt === 3) { say(reply ? words.errors.busy : words.errors.offline); return null; }
      await sleep(Math.min(8000, Math.max(backOff(attempt, 6000), reply ? retryAfter(reply) : 0)));
    }
  };

  const claim = async (event) => {
    event.preventDefault();
    const form = event.target;
    const button = form.querySelector("button");
    if (button.hasAttribute("aria-disabled")) return;
    const label = button.textContent;
    button.setAttribute("aria-disabled", "true");
    try {
      const wanted = form.querySelector("#place input").checked;
      button.textContent = wanted ? words.locating : words.claiming;
      say("");
      const place = wanted ? await locate() : undefined;
      button.textContent = words.claiming;
      const field = (name) => form.elements[name].value;
      const reply = await post(JSON.stringify({ gtin: field("gtin"), serial: field("serial"), claim_id: field("claim_id"), place }));
      if (reply) await settle(reply);
    } finally {
      button.removeAttribute("aria-disabled");
      button.textContent = label;
    }
  };

  const start = () => {
    const form = byId("claim");
    if (form) {
      form.addEventListener("submit", claim);
      byId("place").hidden = !navigator.geolocation;
    }
    document.querySelectorAll('#rewards [data-id]:not([data-id=""]):not([data-final])').forEach(follow);
  };
  start();
})();
