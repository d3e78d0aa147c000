// A small server that receives Tencent's events. It refuses events of other applications and, with a token, events that
// Tencent has not signed with it.
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"
)

// names are those of the query, with the answer that Tencent expects.
type names struct{ app, command, answer string }

var (
	current = names{"SdkAppid", "CallbackCommand", `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`}
	// legacy has the names of the older API of calls.
	legacy = names{"sdkappid", "command", `{"ErrorCode":0,"ErrorMessage":"Success"}`}
)

const (
	maxBody = 1 << 20
	maxAge  = 60 // seconds
)

var (
	sdkAppID = os.Getenv("SDK_APP_ID")
	token    = os.Getenv("CALLBACK_TOKEN")
)

func main() {
	if sdkAppID == "" {
		log.Fatal("Set SDK_APP_ID.")
	}
	address := os.Getenv("LISTEN")
	if address == "" {
		address = "127.0.0.1:8080"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Listening on http://%s\n", listener.Addr())
	server := http.Server{Handler: http.HandlerFunc(receive), ReadTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

func receive(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "Events are posted.", http.StatusMethodNotAllowed)
		return
	}
	query := r.URL.Query()
	names := current
	if query.Has(legacy.app) {
		names = legacy
	}
	if reason := refusal(query, names.app); reason != "" {
		log.Print("Refused an event: ", reason)
		http.Error(w, reason, http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var event bytes.Buffer
	if err != nil || json.Compact(&event, body) != nil {
		http.Error(w, "The event is not JSON.", http.StatusBadRequest)
		return
	}
	// Tencent waits two seconds: answer first, then do the work.
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, names.answer)
	go handle(query.Get(names.command), event.String())
}

// refusal says why an event with this query does not count, or nothing.
func refusal(query url.Values, app string) string {
	if query.Get(app) != sdkAppID {
		return app + " is another application's."
	}
	if token == "" {
		return ""
	}
	sent, err := strconv.ParseInt(query.Get("RequestTime"), 10, 64)
	if age := time.Now().Unix() - sent; err != nil || age > maxAge || age < -maxAge {
		return "RequestTime is missing, or off by more than a minute."
	}
	digest := sha256.Sum256([]byte(token + query.Get("RequestTime")))
	expected := hex.EncodeToString(digest[:])
	if subtle.ConstantTimeCompare([]byte(expected), []byte(query.Get("Sign"))) != 1 {
		return "Sign is missing or wrong."
	}
	return ""
}

// handle is the place for your own work. It must cope with an event that arrives twice.
func handle(command, event string) {
	log.Printf("%q: %s", command, event)
}
