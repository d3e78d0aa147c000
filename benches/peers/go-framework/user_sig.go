package main

import (
	"bytes"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	identifier = "administrator"
	lifetime   = time.Hour
	// The time before its expiry at which a UserSig is replaced.
	margin = 5 * time.Minute
)

// app is an application with its key. It remembers its UserSig.
type app struct {
	id        int64
	secretKey string

	mutex    sync.Mutex
	userSig  string
	signedAt time.Time
}

// UserSig returns a UserSig that is valid at this time.
func (a *app) UserSig(now time.Time) (string, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.userSig == "" || now.Sub(a.signedAt) > lifetime-margin {
		signed, err := sign(a.secretKey, a.id, now)
		if err != nil {
			return "", err
		}
		a.userSig, a.signedAt = signed, now
	}
	return a.userSig, nil
}

// Forget makes the next call sign anew.
func (a *app) Forget() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.userSig = ""
}

// document is the content of a UserSig of version 2.0.
type document struct {
	Version    string `json:"TLS.ver"`
	Identifier string `json:"TLS.identifier"`
	SdkAppID   int64  `json:"TLS.sdkappid"`
	Expire     int64  `json:"TLS.expire"`
	Time       int64  `json:"TLS.time"`
	Signature  string `json:"TLS.sig"`
}

// variant changes standard base64 to Tencent's.
var variant = strings.NewReplacer("+", "*", "/", "-", "=", "_")

func sign(secretKey string, id int64, now time.Time) (string, error) {
	expire := int64(lifetime.Seconds())
	mac := hmac.New(sha256.New, []byte(secretKey))
	fmt.Fprintf(mac, "TLS.identifier:%s\nTLS.sdkappid:%d\nTLS.time:%d\nTLS.expire:%d\n", identifier, id, now.Unix(), expire)
	text, err := json.Marshal(document{
		Version:    "2.0",
		Identifier: identifier,
		SdkAppID:   id,
		Expire:     expire,
		Time:       now.Unix(),
		Signature:  base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	})
	if err != nil {
		return "", err
	}
	var compressed bytes.Buffer
	writer := zlib.NewWriter(&compressed)
	if _, err := writer.Write(text); err != nil {
		return "", err
	}
	if err := writer.Close(); err != nil {
		return "", err
	}
	return variant.Replace(base64.StdEncoding.EncodeToString(compressed.Bytes())), nil
}
