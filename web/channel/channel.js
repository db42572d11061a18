// The camera of the outlet's page: fills the code in; the person still presses the button. Without it one types.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const box = byId("camera");
  if (!box || !("BarcodeDetector" in window)) return;
  const video = byId("video"), note = byId("note"), field = byId("code");
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  let stream = null;

  // A right's QR code is an address of this page with the code in it; a bare code is taken as it is.
  const codeIn = (text) => {
    try {
      return new URL(text).searchParams.get("code") || "";
    } catch (bare) {
      return /^[0-9A-Za-z -]{12,16}$/.test(text) ? text : "";
    }
  };
  const stop = () => {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
  };
  const take = (found) => {
    const code = found.map((one) => codeIn(one.rawValue)).find(Boolean);
    if (!code) return false;
    field.value = code;
    stop();
    field.focus();
    return true;
  };
  const look = async () => {
    while (stream) {
      if (video.readyState >= 2 && take(await detector.detect(video).catch(() => []))) return;
      await new Promise((done) => setTimeout(done, 150));
    }
  };
  byId("scan").addEventListener("click", async () => {
    note.textContent = "";
    stop();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (refused) {
      note.textContent = note.dataset.unreadable;
      return;
    }
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    look();
  });
  byId("photo").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    const image = file && (await createImageBitmap(file).catch(() => null));
    if (!image || !take(await detector.detect(image).catch(() => []))) note.textContent = note.dataset.unreadable;
  });
  addEventListener("pagehide", stop);
  video.hidden = true;
  box.hidden = false;
})();
