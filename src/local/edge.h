/*
 * Scripts that are loaded beside every Edge Function: edge/, embedded at build time.
 */
#ifndef LOCKFLIGHT_LOCAL_EDGE_H
#define LOCKFLIGHT_LOCAL_EDGE_H

extern const char edge_preload_js[];
extern const char edge_serve_js[];

#endif
