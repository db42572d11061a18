// The camera of the outlet's page: fills the code in; the person still presses the button. Without it one types.
// In order: WeChat's own scanner where the page may use it, the browser's reader, jsQR, which is loaded only then.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const box = byId("camera");
  if (!box) return;
  const video = byId("video"), note = byId("note"), field = byId("code"), photo = byId("photo");
  const { reader, wechat } = box.dataset;
  const WIDEST = 800;
  let stream = null;
  let read = null;

  // A right's QR code is an address of this page with the code in it; a bare code is taken as it is.
  const codeIn = (text) => {
    try {
      return new URL(text).searchParams.get("code") || "";
    } catch (bare) {
      return /^[0-9A-Za-z -]{12,16}$/.test(text) ? text : "";
    }
  };
  const native = async () => {
    if (!("BarcodeDetector" in window)) return null;
    const formats = BarcodeDetector.getSupportedFormats ? await BarcodeDetector.getSupportedFormats() : ["qr_code"];
    if (!formats.includes("qr_code")) return null;
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (image) => (await detector.detect(image)).map((one) => one.rawValue);
  };
  const load = (address) => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  const byHand = async () => {
    await load(reader);
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    return async (image) => {
      const wide = image.videoWidth || image.width, high = image.videoHeight || image.height;
      const scale = Math.min(1, WIDEST / Math.max(wide, high, 1));
      canvas.width = Math.max(1, Math.round(wide * scale));
      canvas.height = Math.max(1, Math.round(high * scale));
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
      const found = jsQR(pixels.data, pixels.width, pixels.height);
      return found ? [found.data] : [];
    };
  };
  // What reads a picture, made once; the next press tries again if it could not be loaded.
  const reading = async (image) => {
    read = read || (await native().catch(() => null)) || (await byHand());
    return read(image);
  };
  const stop = () => {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
  };
  const unreadable = () => {
    stop();
    note.textContent = note.dataset.unreadable;
  };
  const take = (texts) => {
    const code = texts.map(codeIn).find(Boolean);
    if (!code) return false;
    field.value = code;
    stop();
    field.focus();
    return true;
  };
  const look = async () => {
    while (stream) {
      if (video.readyState >= 2 && take(await reading(video))) return;
      await new Promise((done) => setTimeout(done, 150));
    }
  };
  const watch = async () => {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    await look();
  };
  let inWeChat = false;
  byId("scan").addEventListener("click", () => {
    note.textContent = "";
    stop();
    if (inWeChat) {
      wx.scanQRCode({ needResult: 1, scanType: ["qrCode"], success: (got) => take([got.resultStr]) || unreadable(), fail: unreadable });
    } else {
      watch().catch(unreadable);
    }
  });
  photo.addEventListener("change", async () => {
    const [file] = photo.files;
    const image = file && (await createImageBitmap(file).catch(() => null));
    if (!image || !take(await reading(image).catch(() => []))) unreadable();
  });
  addEventListener("pagehide", stop);

  // The signature is for this very address; without it, or outside WeChat, the camera is the browser's.
  const join = async () => {
    if (!wechat || typeof wx === "undefined") return;
    const reply = await fetch(wechat + "?url=" + encodeURIComponent(location.href.split("#")[0]));
    if (!reply.ok) return;
    const { app_id: appId, timestamp, nonce: nonceStr, signature } = await reply.json();
    wx.ready(() => { inWeChat = true; byId("scan").hidden = false; });
    wx.config({ appId, timestamp, nonceStr, signature, jsApiList: ["scanQRCode"] });
  };
  join().catch(() => {});
  const camera = navigator.mediaDevices && navigator.mediaDevices.getUserMedia;
  const readable = reader || "BarcodeDetector" in window;
  video.hidden = true;
  byId("scan").hidden = !(camera && readable);
  if (!readable) photo.hidden = photo.labels[0].hidden = true;
  box.hidden = !readable && !wechat;
})();
