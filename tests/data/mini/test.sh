# The app's own tests: the page names the app.
grep -q mini site/index.html || { echo 'site/index.html does not say what it is'; exit 1; }
