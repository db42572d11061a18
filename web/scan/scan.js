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

  // The same amounts as webui/i18n.py and webui/scan_page.py write.
  const amount = ({ kind, amount_minor: minor, currency }) => {
    if (!(minor > 0)) return "";
    if (kind === "points") return words.points.replace("{points}", minor.toLocaleString("en"));
    if (kind !== "cash" && kind !== "trade_credit") return "";
    const sign = !currency || currency === "CNY" ? "¥" : currency + " ";
    return sign + (minor / 100).toLocaleString("en", { minimumFractionDigits: 2 });
  };

  const pageAddress = () => document.querySelector(".lang").href.split("?")[0];

  // Where the person confirms a payout, with the way back here; "" where that is not done on the web.
  const confirmAddress = (reward) => {
    const url = reward.action && reward.action.url && new URL(reward.action.url, location.href);
    if (!url || !/^https?:$/.test(url.protocol)) return "";
    if (!url.searchParams.has("back")) url.searchParams.set("back", pageAddress());
    return url.href;
  };

  // Fills a panel; says whether the reward has come to its end.
  const show = (panel, reward) => {
    const state = reward.state;
    const reasons = words.byReason[state] || {};
    const [title, body, step, final] = words.rewards[reasons[reward.reason] || reasons["*"] || state] || words.rewards[""];
    const url = confirmAddress(reward);
    const won = state && state !== "NONE";
    const prize = (won && (reward.prize[words.lang] || Object.values(reward.prize)[0])) || "";
    const headline = (won && amount(reward)) || prize;
    const part = (selector, text) => { panel.querySelector(selector).textContent = text; };
    panel.dataset.state = state;
    panel.dataset.step = step;
    part("h2", title);
    part(".headline", headline);
    part(".prize", prize === headline ? "" : prize);
    part(".body", state === "WAIT_USER" && !url ? words.elsewhere : body);
    const button = panel.querySelector(".button");
    button.hidden = !url;
    button.href = url;
    if (state === "NONE" && panel.parentNode.children[1]) panel.remove();
    return final;
  };

  // Asks for one reward until it is final: often at first and while the machine works, ever more rarely while a person
  // must act. Who comes back from confirming has loaded the page anew, and is told quickly.
  const busyStates = ["", "PENDING", "SUBMITTING", "ACCEPTED"];
  const follow = async (panel) => {
    const again = panel.querySelector(".again");
    let state = panel.dataset.state;
    let atLeast = 0;
    again.hidden = true;
    for (let attempt = 0; attempt < 40; attempt++) {
      await nap(Math.max(backOff(attempt, 20000), atLeast));
      const reply = await ask("/v1/rewards/" + encodeURIComponent(panel.dataset.id));
      if (reply && reply.ok) {
        const reward = await reply.json();
        if (show(panel, reward)) return;
        if (state !== reward.state) attempt = busyStates.includes(reward.state) ? -1 : 5;
        state = reward.state;
      } else if (reply && (reply.status === 401 || reply.status === 403)) {
        break;
      }
      atLeast = reply ? retryAfter(reply) : 0;
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
    const fresh = reply && new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("page");
    if (!fresh) return say(words.errors.busy);
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

  const settle = async (reply, body) => {
    if (reply.ok) {
      if (body.outcome !== "first") return refresh();
      byId("claim").remove();
      byId("verdict").textContent = words.yours[0];
      byId("ground").textContent = words.yours[1];
      body.rewards.forEach(begin);
      return byId("rewards").focus();
    }
    const code = words.aliases[body.code] || body.code;
    if (code === "session_expired" || code === "code_not_issued") await refresh();
    const hours = Math.ceil(retryAfter(reply) / 3600000);
    const when = code === "person_limit_reached" && hours ? words.hours.replace("{hours}", hours) : "";
    say((words.errors[code] || words.errors[""]) + when);
  };

  // The same claim id every time: whichever try arrives, the answer is the same.
  const post = async (claimed) => {
    for (let attempt = 0; ; attempt++) {
      const reply = await ask("/v1/scans", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(claimed) });
      const body = reply && (await reply.json().catch(() => null));
      if (body && reply.status < 500 && (reply.status !== 429 || body.code)) return settle(reply, body);
      if (attempt === 3) return say(reply ? words.errors.busy : words.errors.offline);
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
      const { gtin, serial, claim_id } = form.elements;
      await post({ gtin: gtin.value, serial: serial.value, claim_id: claim_id.value, place });
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
