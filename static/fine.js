/*
 * The slider of the fine calculator: multiples of the loss, shown and written into the amount field in whole fen.
 * Without scripts the amount is simply typed; the server judges it in both cases.
 */
(function () {
  "use strict";

  const shown = new Intl.NumberFormat("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

  function times(fen, multiple) {
    return (fen * BigInt(Math.round(Number(multiple) * 10000)) + 5000n) / 10000n;
  }

  function yuan(fen) {
    return `${fen / 100n}.${String(fen % 100n).padStart(2, "0")}`;
  }

  document.querySelectorAll("[data-fine-slider]").forEach(function (box) {
    const slider = box.querySelector("input[type=range]");
    const field = document.getElementById(box.dataset.fineSlider);
    const fen = BigInt(box.dataset.fen);
    const tell = function (write) {
      const amount = yuan(times(fen, slider.value));
      box.querySelector("[data-fine-multiple]").textContent = `${Number(slider.value).toFixed(2)} 倍`;
      box.querySelector("[data-fine-amount]").textContent = `${shown.format(Number(amount))} 元`;
      if (write && field) { field.value = amount; }
    };
    if (field && field.value) { slider.value = String(Math.round(Number(field.value) * 100) / Number(fen)); }
    slider.addEventListener("input", function () { tell(true); });
    tell(false);
  });
})();
