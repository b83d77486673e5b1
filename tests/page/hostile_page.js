// What a hostile page tries on the page of neat: all the ways in which a browser lets one page ask another server. Each
// attempt tells what it could read; "" and "error" are nothing. Run in the hostile page by test_hostile.py.
async (target) => {
  const found = {};
  const soon = (what) => new Promise((end) => setTimeout(() => end(what), 1500));
  const tries = (name, attempt) =>
    Promise.race([Promise.resolve().then(attempt).catch(() => "error"), soon("silent")]).then((read) => { found[name] = String(read); });
  const asked = (path, how) => async () => (await fetch(target + path, how)).text();
  const loaded = (tag, props) => () => new Promise((end) => {
    const node = Object.assign(document.createElement(tag), props);
    node.onload = () => end("loaded");
    node.onerror = () => end("error");
    document.body.append(node);
  });
  const framed = () => new Promise((end) => {
    const node = Object.assign(document.createElement("iframe"), { src: `${target}/` });
    node.onload = () => { try { end(node.contentDocument?.body?.innerText ?? ""); } catch { end("error"); } };
    document.body.append(node);
  });
  const formed = (method, path, kind) => () => {
    const frame = Object.assign(document.createElement("iframe"), { name: `f${Math.random()}` });
    const form = Object.assign(document.createElement("form"), { method, action: target + path, target: frame.name, enctype: kind });
    form.append(Object.assign(document.createElement("input"), { name: '{"job": "backup", "x": "', value: '"}' }));
    document.body.append(frame, form);
    form.submit();
    return "";
  };
  const opened = (path) => () => new Promise((end) => {
    const other = window.open(target + path);
    setTimeout(() => { try { end(other?.document?.body?.innerText ?? ""); } catch { end("error"); } }, 1000);
  });
  const token = { Authorization: "Bearer guess" };
  const plain = { method: "POST", mode: "no-cors", body: '{"job": "backup"}' };
  const events = () => new Promise((end) => {
    const stream = new EventSource(`${target}/api/stream?topics=runs`);
    stream.addEventListener("hello", (event) => end(event.data));
    stream.onerror = () => { stream.close(); end("error"); };
  });
  const socket = () => new Promise((end) => {
    const made = new WebSocket(`${target.replace("http", "ws")}/api/stream`);
    made.onopen = () => end("opened");
    made.onerror = () => end("error");
  });
  const old = () => new Promise((end) => {
    const request = new XMLHttpRequest();
    request.onloadend = () => end(request.responseText);
    request.open("GET", `${target}/api/runs`);
    request.send();
  });
  await Promise.all([
    tries("fetch", asked("/api/runs")),
    tries("fetch of a shell", asked("/")),
    tries("fetch without cors", asked("/api/runs", { mode: "no-cors" })),
    tries("fetch of a shell without cors", asked("/", { mode: "no-cors", credentials: "include" })),
    tries("fetch with a token", asked("/api/runs", { headers: token })),
    tries("post", asked("/api/maintain", { method: "POST", body: "{}", headers: { ...token, "Content-Type": "application/json" } })),
    tries("post without cors", asked("/api/maintain", plain)),
    tries("lines without cors", asked("/api/ingest?run=x", plain)),
    tries("undo without cors", asked("/api/retention/undo", plain)),
    tries("post that outlives the page", asked("/api/maintain", { ...plain, keepalive: true })),
    tries("beacon", () => (navigator.sendBeacon(`${target}/api/maintain`, '{"job": "backup"}') ? "" : "error")),
    tries("request of old", old),
    tries("events", events),
    tries("web socket", socket),
    tries("script", loaded("script", { src: `${target}/api/runs` })),
    tries("script of the page", loaded("script", { src: `${target}/vendor/uplot.js` })),
    tries("module", () => import(`${target}/static/x/js/api.js`).then((module) => module.token())),
    tries("style", loaded("link", { rel: "stylesheet", href: `${target}/vendor/uplot.css` })),
    tries("image", loaded("img", { src: `${target}/favicon.ico` })),
    tries("prefetch", loaded("link", { rel: "prefetch", href: `${target}/api/runs` })),
    tries("object", loaded("object", { data: `${target}/` })),
    tries("frame", framed),
    tries("form", formed("post", "/api/maintain", "text/plain")),
    tries("form of a file", formed("post", "/api/retention/apply", "multipart/form-data")),
    tries("form that reads", formed("get", "/api/runs", "")),
    tries("window", opened("/")),
    tries("window of data", opened("/api/runs")),
    tries("window with a token", opened("/#token=of-somebody-else")),
  ]);
  return found;
}
